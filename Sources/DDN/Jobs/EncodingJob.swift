import Torch

/// Images to encode, read a batch at a time.
public protocol EncodingSource {
  var count: Int { get }

  /// The images in `range`: `[B, C, H, W]` float32 in [-1, 1] on the network's device, and their classes, `[B]` int64;
  /// nil for no classes.
  ///
  /// - Throws: `FileError` naming an image that cannot be decoded; `TorchError`.
  func images(in range: Range<Int>) throws -> (images: Tensor, classes: Tensor?)
}

extension EncodingSource {
  /// Ranges of `total` images at even distances, for data sets in the order of their classes.
  ///
  /// - Parameters:
  ///   - total: at most `count`.
  ///   - size: images of a range, at most.
  func evenRanges(of total: Int, by size: Int) -> [Range<Int>] {
    stride(from: 0, to: total, by: size).map { place in
      let first = place * count / total
      return first..<first + min(size, total - place)
    }
  }
}

/// Finds the codes of many images.
public struct EncodingJob: BatchJob {
  /// A batch with its codes.
  public struct Result {
    /// `[B, C, H, W]` in [-1, 1].
    public let targets: Tensor
    /// `[B]`; nil for a network without classes.
    public let classes: [Int]?
    public let reconstruction: Reconstruction
  }

  public static let defaultBatch = 256

  public let network: any DiscreteDistributionNetwork
  public let count: Int
  public let batchSize: Int
  private let source: any EncodingSource
  private let search: CodeSearch
  private let precision: Precision

  /// - Parameters:
  ///   - source: images of the network's shape.
  ///   - count: number of images to encode, from the first; nil for all.
  ///   - network: finds the codes.
  ///   - search: how.
  ///   - precision: of convolutions.
  ///   - batchSize: images in memory at once.
  public init(
    _ source: any EncodingSource, count: Int? = nil, by network: any DiscreteDistributionNetwork,
    search: CodeSearch = CodeSearch(), precision: Precision = .float32, batchSize: Int = defaultBatch
  ) {
    precondition(batchSize > 0, "batch size \(batchSize) is not at least 1")
    self.source = source
    self.count = min(count ?? source.count, source.count)
    self.network = network
    self.search = search
    self.precision = precision
    self.batchSize = batchSize
  }

  /// - Throws: what the source throws; `ConditionError`; `TorchError`.
  public func callAsFunction(_ range: Range<Int>) throws -> Result {
    let (targets, classes) = try source.images(in: range)
    let reconstruction = try withPrecision(precision, on: network.device) {
      try search(targets, by: network, classes: classes)
    }
    return Result(
      targets: targets, classes: network.classes > 0 ? try classes?.array(Int.self) : nil,
      reconstruction: reconstruction)
  }
}
