import Torch

/// Computes the images of many codes.
public struct DrawingJob: BatchJob {
  public static let defaultBatch = 64

  public let network: any DiscreteDistributionNetwork
  public let entries: [CodeList.Entry]
  public let batchSize: Int
  private let conditionImage: Tensor?
  public let precision: Precision

  /// - Parameters:
  ///   - entries: complete codes; with classes if the network has classes.
  ///   - network: computes the images.
  ///   - conditionImage: `[1, C, H, W]` in [-1, 1] on the network's device, the image to compute conditions from.
  ///   - precision: of convolutions.
  ///   - batchSize: images in memory at once.
  public init(
    _ entries: [CodeList.Entry], by network: any DiscreteDistributionNetwork, conditionImage: Tensor? = nil,
    precision: Precision = .float32, batchSize: Int = defaultBatch
  ) {
    precondition(batchSize > 0, "batch size \(batchSize) is not at least 1")
    self.entries = entries
    self.network = network
    self.conditionImage = conditionImage
    self.precision = precision
    self.batchSize = batchSize
  }

  public var count: Int { entries.count }

  /// `[B, C, H, W]` in [-1, 1].
  ///
  /// - Throws: `LatentCodeError`, `ConditionError` or `TorchError`: see `decode`.
  public func callAsFunction(_ range: Range<Int>) throws -> Tensor {
    let batch = entries[range]
    let classes = network.classes > 0 ? batch.compactMap(\.classIndex) : nil
    let sources = try conditionImage?.expanded([batch.count] + network.imageShape)
    return try withPrecision(precision, on: network.device) {
      try network.decode(
        batch.map(\.code), classes: classes.flatMap { $0.isEmpty ? nil : $0 }, sources: sources)
    }
  }
}
