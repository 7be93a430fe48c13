import DDN
import Torch

/// The mean of the channels, for colouring.
public struct GrayMeasurement: Measurement {
  private let target: Target

  /// - Parameter images: `[B, C, H, W]` in [-1, 1].
  public init(_ images: Tensor) throws(TorchError) {
    target = Target(try images.mean([1], keepingDimensions: true))
  }

  public var averagesChannels: Bool { true }

  public func comparison(height: Int, width: Int) throws -> Comparison {
    Comparison(observation: try target.sized(height: height, width: width))
  }

  public func picture() throws -> Tensor {
    let shape = target.images.shape
    return try target.images.expanded([shape[0], 3, shape[2], shape[3]])
  }
}

extension GuideKind {
  /// Source: the original's colour sampler.
  static let gray = GuideKind(
    "gray", summary: "the target's gray version: colours it", example: "gray"
  ) { arguments, setting in
    guard setting.imageShape[0] > 1 else {
      throw arguments.error("this model's images are gray, without colour to add")
    }
    return PreparedMeasurement { try GrayMeasurement($0.requireTargets()) }
  }
}
