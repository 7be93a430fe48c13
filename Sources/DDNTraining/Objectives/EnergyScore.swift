import DDN
import Torch

/// The energy score of a level's K images as equally likely samples: their mean distance to the target less half the mean
/// distance between them, in root mean squares.
///
/// A proper scoring rule: it is least when the images are distributed as the targets of their path. The plain loss says
/// nothing about how often a node is right, so random choices may leave the data.
///
/// Source: Gneiting and Raftery, Strictly Proper Scoring Rules (2007), section 4.2.
public struct EnergyScore: Objective {
  /// Below it a distance is rounding; the root's gradient stays finite.
  private static let floor = 1e-6

  public init() {}

  public func losses(of step: LevelStep) throws -> Tensor {
    let toTarget = try root(step.candidates.differentiableDistances(to: step.target)).mean([1])  // [B]
    let between = try root(step.candidates.pairwiseDistances()).mean([1, 2])  // [R]
    return try toTarget - step.candidates.paths.perSample(between) * 0.5
  }

  private func root(_ distances: Tensor) throws(TorchError) -> Tensor {
    try distances.clamped(Self.floor...Double.infinity).squareRoot()
  }
}
