import DDN
import DDNVision
import Foundation
import Images
import Torch

/// The models, and all work on them: an actor on one thread, because networks are not thread-safe and block it.
///
/// Cancelling a caller's task stops its work within a large operator.
actor ModelWorker {
  private let thread = WorkThread(name: "ddn models")
  private var models: [String: ServedModel] = [:]
  private(set) var clip: CLIP?
  let limits: ServerLimits

  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  init(limits: ServerLimits) { self.limits = limits }

  /// Loads the models, and CLIP for guides of texts.
  ///
  /// - Returns: the card of each, in the order of `sources`.
  /// - Throws: `FileError`, or `TorchError` when memory is short.
  func load(_ sources: [ModelSource], clip source: CLIPSource?, device: Device) throws -> [ModelCard] {
    clip = try source.map { try CLIP(contentsOf: $0.weights, vocabulary: $0.vocabulary, device: device) }
    if let clip { _ = try clip.embeddings(ofTexts: ["a picture"]) }  // Texts need a vocabulary.
    return try sources.map { source in
      let served = try ServedModel(source, device: device)
      models[source.name] = served
      return ModelCard(served, hasTexts: clip != nil)
    }
  }

  /// - Throws: `RequestError` (404) when there is no such model.
  func model(_ name: String) throws -> ServedModel {
    guard name.utf8.count <= 255, let model = models[name] else {
      throw RequestError(.notFound, "there is no model of this name; GET /api/models lists all")
    }
    return model
  }

  var allModels: [ServedModel] { models.values.sorted { $0.name < $1.name } }

  /// Does work that may be abandoned: when the caller's task is cancelled, or the time is up.
  ///
  /// - Throws: `CancellationError`; `RequestError` (503) when the time is up; what `body` throws.
  func bounded<R>(_ body: (_ check: () throws -> Void) throws -> R) throws -> R {
    let end = ContinuousClock.now + .seconds(limits.workSeconds)
    func shouldContinue() -> Bool { !Task.isCancelled && ContinuousClock.now < end }
    func check() throws {
      try Task.checkCancellation()
      guard ContinuousClock.now < end else {
        throw RequestError(
          .serviceUnavailable, "this takes longer than \(Int(limits.workSeconds)) s, which is all that it may")
      }
    }
    do {
      try check()
      return try withPulse(shouldContinue) { try withoutGradients { try body(check) } }
    } catch  where error is TorchError || error is JobStopped {
      try check()
      throw error
    }
  }

  /// Decodes a picture of a request.
  ///
  /// - Throws: `ImageError`; `RequestError` when it has too many pixels.
  func decode(_ data: Data, channels: ChannelChoice) throws -> Bitmap {
    try checkSize(of: data)
    return try PNG.decode(data, channels: channels)
  }

  /// - Throws: `ImageError` for what is no picture; `RequestError` when it has too many pixels.
  func checkSize(of data: Data) throws {
    let (width, height) = try PNG.size(of: data)
    guard width * height <= limits.pixels else {
      throw RequestError.unfit(
        "a picture of \(width) x \(height) pixels is too large: \(limits.pixels) pixels are allowed; make it smaller")
    }
  }
}
