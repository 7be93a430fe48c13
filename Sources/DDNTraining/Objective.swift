import DDN
import Torch

/// What training minimizes, and by what nodes are chosen meanwhile; pass another to `Trainer` for a perceptual or any
/// other loss.
public protocol Objective {
  /// `[B]`, the loss of every chosen image of a level. Training minimizes the mean over images and levels.
  func losses(of output: LevelOutput, to target: Target) throws -> Tensor

  /// Chooses the nodes that learn; it must report distances for Split-and-Prune to count by.
  func chooser(for target: Target) -> any Chooser
}

extension Objective {
  public func chooser(for target: Target) -> any Chooser { NearestChooser(target) }
}

/// The distance between pixels, by which the nodes are chosen, too.
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
