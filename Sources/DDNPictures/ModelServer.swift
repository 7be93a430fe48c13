import DDN
import Dispatch
import Foundation
import Images
import Torch

/// A model for concurrent callers, an actor on a separate serial queue.
///
/// Networks are not thread-safe, and a job blocks its thread, which must not be one of Swift's cooperative pool.
/// Cancelling a caller's task stops its job within a large operator.
///
///     let server = try await ModelServer(contentsOf: url)
///     let pictures = try await server.draw([LatentCode(seed: 7, in: server.codeSpace)])
public actor ModelServer {
  /// A picture's code and reconstruction.
  public struct Encoded: Sendable {
    public let code: LatentCode
    /// The decoded code.
    public let picture: Bitmap
    /// `[L]`, each level's mean squared error, in units of [-1, 1] squared.
    public let errors: [Double]
  }

  public nonisolated let configuration: NetworkConfiguration
  public nonisolated let training: TrainingSummary?
  private let executor = QueueExecutor()
  private let network: any DiscreteDistributionNetwork

  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  public nonisolated var codeSpace: CodeSpace { configuration.codeSpace }
  /// Channels, height and width.
  public nonisolated var imageShape: [Int] { configuration.imageShape }

  /// - Throws: `FileError` or `TorchError`: see `Model`.
  public init(contentsOf url: URL, device: Device = .cpu) async throws {
    let model = try Model(contentsOf: url, device: device)
    configuration = model.configuration
    training = model.training
    network = model.network
  }

  /// Decodes codes to pictures.
  ///
  /// - Parameters:
  ///   - codes: complete codes of the model.
  ///   - classes: one per code, for a model with classes; nil for no class.
  ///   - conditionImage: of any size, for a model with conditions on images.
  ///   - batchSize: images in memory at once.
  /// - Throws: `LatentCodeError` or `ConditionError` when they do not fit the model; `JobStopped` when the task is
  ///   cancelled; `ImageError`; `TorchError`.
  public func draw(
    _ codes: [LatentCode], classes: [Int]? = nil, conditionImage: Bitmap? = nil,
    batchSize: Int = DrawingJob.defaultBatch
  ) throws -> [Bitmap] {
    if let classes, classes.count != codes.count || network.classes == 0 {
      throw LatentCodeError("\(classes.count) classes do not fit \(codes.count) codes of \(network.classes) classes")
    }
    let entries = codes.indices.map { CodeList.Entry(code: codes[$0], classIndex: classes?[$0]) }
    let condition = try conditionImage.map { try tensor($0) }
    let job = DrawingJob(entries, by: network, conditionImage: condition, batchSize: batchSize)
    var pictures: [Bitmap] = []
    try job.run { _, images in pictures += try images.bitmaps() }
    return pictures
  }

  /// Encodes pictures of any size.
  ///
  /// - Throws: `ConditionError` when a picture's channels do not fit; `JobStopped`; `ImageError`; `TorchError`.
  public func encode(_ pictures: [Bitmap], batchSize: Int = EncodingJob.defaultBatch) throws -> [Encoded] {
    let fitted = try pictures.map { try fit($0) }
    let job = EncodingJob(PictureSource(fitted, device: network.device), by: network, batchSize: batchSize)
    var encoded: [Encoded] = []
    try job.run { _, result in
      let found = result.reconstruction
      let images = try found.levels.last!.bitmaps()
      encoded += found.codes.indices.map { index in
        Encoded(code: found.codes[index], picture: images[index], errors: found.errors.map { $0[index] })
      }
    }
    return encoded
  }

  private func fit(_ picture: Bitmap) throws -> Bitmap {
    guard picture.channels == imageShape[0] else {
      throw ConditionError("a picture of \(picture.channels) channels does not fit a model of \(imageShape[0])")
    }
    return try picture.fitted(to: imageShape)
  }

  private func tensor(_ picture: Bitmap) throws -> Tensor { try fit(picture).tensor().to(network.device) }
}

/// Runs an actor's jobs in a serial queue.
private final class QueueExecutor: SerialExecutor {
  private let queue = DispatchQueue(label: "ddn model", qos: .userInitiated)

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let executor = asUnownedSerialExecutor()
    queue.async { job.runSynchronously(on: executor) }
  }
}
