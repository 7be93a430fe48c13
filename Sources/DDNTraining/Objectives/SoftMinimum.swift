import DDN
import Torch

/// The squared distance of every node, weighted by a softmax of negative distances: near nodes learn, too, and at a high
/// temperature all do. The temperature falls to 0, the nearest node's distance, in the first half of the run.
///
/// An alternative to Split-and-Prune against unused nodes.
///
/// Source: annealing of vector quantizers (Rose, Gurewitz and Fox, 1990).
public struct SoftMinimum: Objective {
  private let temperature: Double

  /// - Parameter temperature: at first, in units of a batch's mean distance to the nearest node; above 0.
  public init(temperature: Double) { self.temperature = temperature }

  public func losses(of step: LevelStep) throws -> Tensor {
    let share = temperature * max(0, 1 - 2 * step.progress)
    guard share > 0 else { return try step.output.losses(to: step.target) }
    let distances = try step.candidates.differentiableDistances(to: step.target)  // [B, K]
    // The gradient of the free energy is that of the distances under fixed weights.
    let weights = try withoutGradients { () throws(TorchError) in
      let nearest = try (distances * -1).maximum([1]).mean()  // Negative.
      return try (distances / (nearest * share)).softmax(1)
    }
    return try (weights * distances).sum([1])
  }
}
