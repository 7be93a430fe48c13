import DDN
import Torch

/// The values of a module's images.
enum PixelRange: String {
  case symmetric = "-1..1"
  case unit = "0..1"
  case imagenet
  case clip

  /// Of normalized RGB, in units of [0, 1]; nil for plain ranges.
  var mean: [Float]? {
    switch self {
    case .symmetric, .unit: nil
    case .imagenet: [0.485, 0.456, 0.406]
    case .clip: [0.48145466, 0.4578275, 0.40821073]
    }
  }

  fileprivate var deviation: [Float] {
    switch self {
    case .symmetric, .unit: []
    case .imagenet: [0.229, 0.224, 0.225]
    case .clip: [0.26862954, 0.26130258, 0.27577711]
    }
  }
}

/// Gives a module images of its size and range, a bounded number at a time.
struct ScriptRunner {
  /// The most pixel values in one call of the module: 55 images of 3 x 224 x 224.
  private static let limit = 1 << 23

  let module: ScriptModule
  let size: (height: Int, width: Int)
  let failure: (String) -> GuideError
  private let range: PixelRange
  private let mean: Tensor?
  private let deviation: Tensor?

  /// - Parameters:
  ///   - module: on the device.
  ///   - size: of the module's images.
  ///   - range: of the module's images; normalized ranges make gray images RGB.
  ///   - device: of the images.
  ///   - failure: makes an error of a problem.
  init(
    module: ScriptModule, size: (height: Int, width: Int), range: PixelRange, device: Device,
    failure: @escaping (String) -> GuideError
  ) throws {
    self.module = module
    self.size = size
    self.range = range
    self.failure = failure
    mean = try range.mean.map { try Tensor($0, shape: [1, 3, 1, 1]).to(device) }
    deviation = try mean.map { _ in try Tensor(range.deviation, shape: [1, 3, 1, 1]).to(device) }
  }

  /// The module's output for images: `[N, C, h, w]` in [-1, 1] to `[N, ...]` float32.
  ///
  /// - Throws: the error of `failure` when the output has no row for each image, or is not finite; `TorchError` of the
  ///   module.
  func callAsFunction(_ images: Tensor) throws -> Tensor {
    let count = images.shape[0]
    let step = max(1, Self.limit / (max(3, images.shape[1]) * size.height * size.width))
    let parts = try stride(from: 0, to: count, by: step).map { first in
      try callPulse()
      let part = try images.slice(0, first..<min(first + step, count))
      let output = try module([prepared(part)]).to(.float32)
      guard output.shape.first == part.shape[0] else {
        throw failure("the module gives \(output.shape) for \(part.shape[0]) images")
      }
      return output
    }
    let output = try parts.count == 1 ? parts[0] : .concatenate(parts)
    guard try output.allFinite() else { throw failure("the module gives NaN or infinite values") }
    return output
  }

  private func prepared(_ images: Tensor) throws -> Tensor {
    let shape = images.shape
    let isSized = shape[2] == size.height && shape[3] == size.width
    let sized = try isSized ? images : images.resizedBilinear(height: size.height, width: size.width)
    guard range != .symmetric else { return sized }
    let unit = try sized * 0.5 + 0.5
    guard let mean, let deviation else { return unit }
    return try (unit - mean) / deviation  // gray broadcasts to RGB
  }
}

/// One number for each image.
struct ScriptScoreGuide: ImageGuide {
  private let runner: ScriptRunner
  private let score: (Tensor) throws -> Tensor

  /// - Parameters:
  ///   - runner: of the module.
  ///   - score: the module's output for N images to `[N]`, higher is better.
  init(_ runner: ScriptRunner, score: @escaping (Tensor) throws -> Tensor) {
    self.runner = runner
    self.score = score
  }

  func scores(ofImages images: Tensor, paths: SharedPaths) throws -> Tensor {
    let shape = images.shape
    let scores = try score(runner(images.reshaped([shape[0] * shape[1]] + shape[2...])))
    return try paths.perSample(scores.reshaped([shape[0], shape[1]]))
  }
}

/// The negative mean squared difference to the target's features.
struct ScriptFeatureGuide: ImageGuide {
  private let runner: ScriptRunner
  private let targets: Tensor  // [B, 1, F]

  /// - Parameters:
  ///   - runner: of the module.
  ///   - targets: the module's output for the targets, `[B, ...]`.
  init(_ runner: ScriptRunner, targets: Tensor) throws(TorchError) {
    self.runner = runner
    self.targets = try targets.reshaped([targets.shape[0], 1, -1])
  }

  func scores(ofImages images: Tensor, paths: SharedPaths) throws -> Tensor {
    let shape = images.shape
    let features = try runner(images.reshaped([shape[0] * shape[1]] + shape[2...]))
      .reshaped([shape[0], shape[1], -1])
    return try (paths.perSample(features) - targets).squared().mean([2]) * -1
  }
}
