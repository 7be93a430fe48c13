import DDN
import Torch

/// A kind of guide that can be named on a command line: `NAME`, `NAME:VALUE` or `NAME:VALUE,OPTION=VALUE`.
///
/// A new kind is one file with its guide and an extension of this type, and a line in `GuideKind.all`.
public struct GuideKind: Sendable {
  /// What a guide wants to know of the run that it is prepared for.
  public struct Setting: Sendable {
    /// Channels, height and width of the final image.
    public var imageShape: [Int]
    /// Of the network.
    public var device: Device

    public init(imageShape: [Int], device: Device) {
      self.imageShape = imageShape
      self.device = device
    }
  }

  /// As it is typed.
  public let name: String
  /// One line: what it asks of an image.
  public let summary: String
  /// As it is typed, with a value: `sr:4`.
  public let example: String
  /// What its value is, nil if it has none; options that it knows, with their meaning.
  public let value: String?
  public let options: [(name: String, meaning: String)]
  /// From how many of the best candidates a run chooses when the user does not say.
  public let top: TopCount
  private let preparation: @Sendable (inout GuideArguments, Setting) throws -> any PreparedGuide

  /// - Parameters:
  ///   - name: as it is typed.
  ///   - summary: one line: what it asks of an image.
  ///   - example: as it is typed, with a value.
  ///   - value: what its value is; nil if it has none.
  ///   - options: that it knows, with their meaning.
  ///   - top: from how many of the best candidates a run chooses when the user does not say.
  ///   - prepare: reads its arguments and loads what it needs. It throws `GuideError` for arguments, and `FileError` for
  ///     files, that cannot be used.
  public init(
    _ name: String, summary: String, example: String, value: String? = nil,
    options: [(name: String, meaning: String)] = [], top: TopCount = .original,
    prepare: @escaping @Sendable (inout GuideArguments, Setting) throws -> any PreparedGuide
  ) {
    self.name = name
    self.summary = summary
    self.example = example
    self.value = value
    self.options = options
    self.top = top
    preparation = prepare
  }

  /// Prepares a guide of this kind.
  ///
  /// - Throws: `GuideError` for arguments, and `FileError` for files, that cannot be used.
  public func prepare(_ arguments: GuideArguments, for setting: Setting) throws -> any PreparedGuide {
    var arguments = arguments
    let guide = try preparation(&arguments, setting)
    try arguments.finish(options: options.map(\.name))
    return guide
  }
}

/// A guide whose arguments are read and whose files are loaded, for batch after batch.
public protocol PreparedGuide {
  /// Whether it compares with a target image.
  var needsTargets: Bool { get }

  /// The guide of a batch.
  ///
  /// - Throws: `GuideError` when the batch lacks what it needs; `TorchError`.
  func guide(for batch: GuideBatch) throws -> any Guide

  /// What the guide knows of each target, to be drawn: `[B, C, h, w]` or `[1, C, h, w]` in [-1, 1]; nil if that is no
  /// picture.
  func picture(for batch: GuideBatch) throws -> Tensor?

  /// The class that each image is guided to; nil for guides that know no classes.
  func classes(for batch: GuideBatch) -> [Int]?

  /// How many classes the guide knows; nil for none.
  var classCount: Int? { get }
}

extension PreparedGuide {
  public var needsTargets: Bool { false }
  public func picture(for batch: GuideBatch) throws -> Tensor? { nil }
  public func classes(for batch: GuideBatch) -> [Int]? { nil }
  public var classCount: Int? { nil }
}

/// A guide that is the same for every batch, such as a class or a text.
public struct FixedGuide: PreparedGuide {
  private let guide: any Guide

  public init(_ guide: any Guide) { self.guide = guide }

  public func guide(for batch: GuideBatch) -> any Guide { guide }
}

/// The images of a batch that are to be guided.
public struct GuideBatch {
  /// `[B, C, H, W]` in [-1, 1] on the network's device; nil without targets.
  public let targets: Tensor?
  /// A number of each image's target, the same in every batch, to draw a condition's random part from: `[B]`.
  public let targetNumbers: [Int]
  /// Of each image: `[B]`.
  public let seeds: [UInt64]

  public init(targets: Tensor?, targetNumbers: [Int], seeds: [UInt64]) {
    self.targets = targets
    self.targetNumbers = targetNumbers
    self.seeds = seeds
  }

  public var count: Int { seeds.count }

  /// Each image `times` times in a row.
  public func repeated(_ times: Int) throws(TorchError) -> GuideBatch {
    guard times > 1 else { return self }
    func copies<T>(_ list: [T]) -> [T] { list.flatMap { Array(repeating: $0, count: times) } }
    return GuideBatch(
      targets: try targets.map { (targets) throws(TorchError) in
        try targets.gathered(Tensor(copies(Array(0..<count)), shape: [count * times]).to(targets.device))
      }, targetNumbers: copies(targetNumbers), seeds: copies(seeds))
  }

  /// - Throws: `GuideError` without targets.
  func requireTargets() throws -> Tensor {
    guard let targets else { throw GuideError(.usage, "this guide needs a target: give --image or --data") }
    return targets
  }
}
