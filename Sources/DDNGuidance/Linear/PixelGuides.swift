import DDN
import Torch

/// All pixels, perhaps noisy or of few shades: the guide that reconstructs.
public struct PixelMeasurement: Measurement {
  private let target: Target

  /// - Parameter images: `[B, C, H, W]` in [-1, 1].
  public init(_ images: Tensor) { target = Target(images) }

  /// Images with Gaussian noise, each of a seed.
  ///
  /// - Parameters:
  ///   - images: `[B, C, H, W]` in [-1, 1].
  ///   - deviation: in units of [-1, 1]; the original's is 0.53.
  ///   - seeds: of each image.
  public init(_ images: Tensor, noise deviation: Double, seeds: [UInt64]) throws(TorchError) {
    var noise: [Tensor] = []
    for seed in seeds { noise.append(try .normal([1] + images.shape[1...], generator: Generator(seed: seed))) }
    self.init(try images + Tensor.concatenate(noise).to(images.device) * deviation)
  }

  /// Images of few shades: `round(x * n / 2) * 2 / n`, halves to even.
  ///
  /// - Parameters:
  ///   - images: `[B, C, H, W]` in [-1, 1].
  ///   - steps: n, between -1 and 1; the original's is 4.
  public init(_ images: Tensor, steps: Int) throws(TorchError) {
    self.init(try (images * (Double(steps) / 2)).rounded() * (2 / Double(steps)))
  }

  public func comparison(height: Int, width: Int) throws -> Comparison {
    Comparison(observation: try target.sized(height: height, width: width))
  }

  public func picture() -> Tensor { target.images }
}

extension GuideKind {
  /// Source: the original's L2 sampler.
  static let pixels = GuideKind(
    "l2", summary: "all pixels of the target: reconstructs it", example: "l2", top: .best
  ) { _, _ in
    PreparedMeasurement { PixelMeasurement(try $0.requireTargets()) }
  }

  /// Source: the original's noise sampler.
  static let noise = GuideKind(
    "noise", summary: "the target with Gaussian noise: denoises it", example: "noise:0.53",
    value: "standard deviation, in units of [-1, 1] (default: 0.53)"
  ) { arguments, _ in
    let deviation = try arguments.numberValue("the standard deviation", in: 0...100, default: 0.53)
    return PreparedMeasurement {
      try PixelMeasurement($0.requireTargets(), noise: deviation, seeds: $0.targetNumbers.map { UInt64($0) })
    }
  }

  /// Source: the original's low-bit sampler.
  static let lowBit = GuideKind(
    "lowbit", summary: "the target in few shades: restores its bit depth", example: "lowbit:4",
    value: "steps between black and white, one less than shades (default: 4)"
  ) { arguments, _ in
    let steps = try arguments.integerValue("the number of steps", in: 1...255, default: 4)
    return PreparedMeasurement { try PixelMeasurement($0.requireTargets(), steps: steps) }
  }
}
