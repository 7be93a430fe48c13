/// Shape of a `ResidualClassifier`.
public struct ClassifierConfiguration: Codable, Sendable, Equatable {
  /// 1 (gray) or 3 (RGB).
  public var channels: Int
  /// Of the images that the network reads, in pixels; a power of two.
  public var side: Int
  /// The number of classes, at least 2.
  public var classes: Int
  /// Names of the classes from 0 on; nil when they are only numbers.
  public var classNames: [String]?
  /// Sets all channel counts; even. Compute grows with its square.
  public var width: Int

  public init(channels: Int, side: Int, classes: Int, classNames: [String]? = nil, width: Int) {
    self.channels = channels
    self.side = side
    self.classes = classes
    self.classNames = classNames
    self.width = width
  }

  /// Side of the stem's kernel.
  static let stemKernel = 2

  /// Filters of the stem: each principal component of its patches, with both signs.
  var stemChannels: Int { 2 * channels * Self.stemKernel * Self.stemKernel }

  /// Output channels of each block. A block halves the side, and the last output is 3 x 3, or 1 x 1 of side 4.
  var blockChannels: [Int] {
    let blocks = max(side.trailingZeroBitCount - 2, 1)
    return (1...blocks).reversed().map { fromLast in
      switch fromLast {
      case 1, 2: 4 * width
      case 3: width
      default: width / 2
      }
    }
  }

  /// - Throws: `ClassifierError` naming the first impossible value.
  public func validate() throws(ClassifierError) {
    if let validationError { throw ClassifierError(validationError) }
  }

  private var validationError: String? {
    if channels != 1 && channels != 3 { return "\(channels) channels are neither gray (1) nor RGB (3)" }
    if !(4...1024).contains(side) || side & (side - 1) != 0 {
      return "a side of \(side) pixels is not a power of two within 4...1024"
    }
    if !(2...100_000).contains(classes) { return "the number of classes must be within 2...100000, not \(classes)" }
    if let classNames, classNames.count != classes { return "\(classNames.count) names do not fit \(classes) classes" }
    if !(2...1024).contains(width) || width % 2 != 0 {
      return "a width of \(width) is not an even number within 2...1024"
    }
    return nil
  }
}

/// A classifier's options are invalid, or its training diverged; one line.
public struct ClassifierError: Error, Equatable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
