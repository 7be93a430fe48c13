import DDN
import Torch

/// The loss that training minimizes, and the choice of nodes in training; pass one to `Trainer` for another loss, such
/// as a perceptual one.
public protocol Objective {
  /// `[B]`, the loss of every chosen image of a level. Training minimizes the mean over images and levels.
  func losses(of output: LevelOutput, to target: Target) throws -> Tensor

  /// Chooses the nodes to train; its choices must have distances, which Split-and-Prune needs.
  func chooser(for target: Target) -> any Chooser
}

extension Objective {
  public func chooser(for target: Target) -> any Chooser { NearestChooser(target) }
}

/// The pixel distance, as loss and for choosing nodes.
///
/// Source: paper, section 3.1 (plain L2 loss on the chosen image).
public struct PixelObjective: Objective {
  private let measure: NodeDistances.Measure

  public init(_ measure: NodeDistances.Measure = .squared) { self.measure = measure }

  public func losses(of output: LevelOutput, to target: Target) throws -> Tensor {
    try output.losses(to: target, measure: measure)
  }

  public func chooser(for target: Target) -> any Chooser { NearestChooser(target, measure: measure) }
}
