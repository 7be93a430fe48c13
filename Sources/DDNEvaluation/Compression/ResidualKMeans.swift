import DDN
import Torch

/// A residual quantizer: each stage's k-means codes what the stages before have left.
///
/// A discrete distribution network whose nodes are fixed images. Images are coded greedily, as the network's are.
/// Source: Juang and Gray, "Multiple stage vector quantization for speech coding" (1982).
public struct ResidualKMeans {
  /// For each stage `[K, D]`.
  public let stages: [Tensor]
  private let imageShape: [Int]

  private static let subtractOperator = Operator("aten::sub_", "Tensor")
  private static let batch = 2048

  /// Fits the stages, one after the other.
  ///
  /// - Parameters:
  ///   - source: training images.
  ///   - count: how many to read, from the first; kept in memory as float32.
  ///   - nodes: the number of centres of each stage; `count` at most.
  ///   - seed: of the first centres.
  ///   - maxSteps: of Lloyd's algorithm, for each stage.
  ///   - progress: called with the share that is done; throwing stops the fit.
  /// - Throws: what the source and `progress` throw; `TorchError`.
  public init(
    fitting source: any EncodingSource, count: Int, nodes: [Int], seed: UInt64 = 0, maxSteps: Int = 20,
    progress: (Double) throws -> Void = { _ in }
  ) throws {
    precondition(count > 0 && count <= source.count, "\(count) of \(source.count) images cannot be read")
    imageShape = Array(try source.images(in: 0..<1).images.shape[1...])
    let residuals = try Self.read(source, count)
    let generator = try Generator(seed: seed)
    var stages: [Tensor] = []
    for (stage, centers) in nodes.enumerated() {
      var steps = 0
      let fit = try KMeans(fitting: residuals, count: centers, generator: generator, maxSteps: maxSteps) {
        steps += 1
        try progress((Double(stage) + Double(steps) / Double(maxSteps)) / Double(nodes.count))
      }
      stages.append(fit.centers)
      try Self.subtract(fit.centers, from: residuals)
      try progress(Double(stage + 1) / Double(nodes.count))
    }
    self.stages = stages
  }

  /// `[count, D]`, in one block that is filled batch by batch.
  private static func read(_ source: any EncodingSource, _ count: Int) throws -> Tensor {
    let first = try source.images(in: 0..<1).images
    let all = try Tensor.zeros([count, first.count], device: first.device)
    for start in stride(from: 0, to: count, by: batch) {
      let range = start..<min(start + batch, count)
      try all.slice(0, range).copy(from: source.images(in: range).images.reshaped([range.count, -1]))
    }
    return all
  }

  /// Subtracts each row's nearest centre, in place.
  private static func subtract(_ centers: Tensor, from rows: Tensor) throws(TorchError) {
    for start in stride(from: 0, to: rows.shape[0], by: batch) {
      let part = try rows.slice(0, start..<min(start + batch, rows.shape[0]))
      try subtractOperator(.tensor(part), .tensor(centers.gathered(KMeans.nearest(part, centers).places)))
    }
  }

  /// Codes images and decodes them stage by stage.
  ///
  /// - Parameters:
  ///   - images: `[B, C, H, W]` of the training images' shape.
  ///   - observe: called with each stage's number, from 0, and the images decoded up to it, `[B, C, H, W]`.
  /// - Throws: what `observe` throws; `TorchError`.
  public func reconstruct(_ images: Tensor, observe: (Int, Tensor) throws -> Void) throws {
    precondition(
      Array(images.shape[1...]) == imageShape, "images of \(images.shape) do not fit a code of \(imageShape)")
    let rows = try images.reshaped([images.shape[0], -1])
    let residuals = try rows.cloned()
    for (stage, centers) in stages.enumerated() {
      try Self.subtract(centers, from: residuals)
      try observe(stage, (rows - residuals).reshaped(images.shape))
    }
  }
}
