import DDN
import Torch

/// The negative mean absolute difference to a target.
///
/// Source: the original's L1 sampler.
public struct AbsoluteGuide: ImageGuide {
  private let target: Target

  /// - Parameter images: `[B, C, H, W]` in [-1, 1].
  public init(_ images: Tensor) { target = Target(images) }

  public func scores(ofImages images: Tensor, paths: SharedPaths) throws -> Tensor {
    let shape = images.shape
    let target = try target.sized(height: shape[3], width: shape[4])
    return try (paths.perSample(images) - target.reshaped([-1, 1] + shape[2...])).absolute().mean([2, 3, 4]) * -1
  }
}

extension GuideKind {
  static let absolute = GuideKind(
    "l1", summary: "all pixels of the target, by absolute differences", example: "l1", top: .best
  ) { _, _ in
    PreparedTargetGuide { AbsoluteGuide($0) }
  }
}

/// A guide that is made of each batch's targets.
struct PreparedTargetGuide: PreparedGuide {
  private let make: (Tensor) throws -> any Guide

  /// - Parameter make: of `[B, C, H, W]` in [-1, 1].
  init(_ make: @escaping (Tensor) throws -> any Guide) { self.make = make }

  var needsTargets: Bool { true }
  func guide(for batch: GuideBatch) throws -> any Guide { try make(batch.requireTargets()) }
}
