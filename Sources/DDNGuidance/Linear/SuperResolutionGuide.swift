import DDN
import Torch

/// A low resolution, for super-resolution.
public struct LowResolutionMeasurement: Measurement {
  private let observation: Tensor

  /// - Parameters:
  ///   - images: `[B, C, H, W]` in [-1, 1], of any size; those of a low resolution are compared as they are.
  ///   - height: of the low resolution.
  ///   - width: of the low resolution.
  public init(_ images: Tensor, height: Int, width: Int) throws(TorchError) {
    observation = try images.resizedArea(height: height, width: width)
  }

  public func comparison(height: Int, width: Int) throws -> Comparison {
    let (lowHeight, lowWidth) = (observation.shape[2], observation.shape[3])
    guard lowHeight % height == 0, lowWidth % width == 0 else {
      return Comparison(observation: observation) { try $0.resizedArea(height: lowHeight, width: lowWidth) }
    }
    return try .replicated(observation, height: height, width: width)
  }

  public func picture() -> Tensor { observation }
}

extension GuideKind {
  /// Source: the original's super-resolution sampler.
  static let superResolution = GuideKind(
    "sr", summary: "the target at a low resolution: super-resolution", example: "sr:4",
    value: "how many times the resolution is raised, such as 4 or 2.5, or the low resolution, such as 16x16"
  ) { arguments, setting in
    let (height, width) = (setting.imageShape[1], setting.imageShape[2])
    guard let text = arguments.value() else { throw arguments.error("needs a factor, as in sr:4") }
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    let low: (height: Int, width: Int)
    if sides.count == 2, let lowWidth = sides[0], let lowHeight = sides[1] {
      low = (lowHeight, lowWidth)
    } else if let factor = Double(text), factor >= 1, factor <= Double(min(height, width)) {
      low = (
        Int((Double(height) / factor).rounded(.toNearestOrEven)),
        Int((Double(width) / factor).rounded(.toNearestOrEven))
      )
    } else {
      throw arguments.error(
        "'\(text)' is neither a factor within 1...\(min(height, width)), as in sr:4, nor a resolution, as in sr:16x16")
    }
    guard (1...height).contains(low.height), (1...width).contains(low.width) else {
      throw arguments.error("\(text) is not within 1x1...\(width)x\(height), the resolution of this model")
    }
    return PreparedMeasurement {
      try LowResolutionMeasurement($0.requireTargets(), height: low.height, width: low.width)
    }
  }
}
