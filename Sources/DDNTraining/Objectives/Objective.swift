import DDN
import Torch

/// The loss that training minimizes, and the choice of nodes in training; pass one to `Trainer` for another loss.
public protocol Objective {
  /// `[B]`, the loss of every image at a level. Training minimizes the mean over images and levels.
  func losses(of step: LevelStep) throws -> Tensor

  /// Chooses the nodes to train; its choices must have distances, which Split-and-Prune needs.
  func chooser(for target: Target) -> any Chooser

  /// A loss of images of random codes, added to the mean over levels; nil for none.
  ///
  /// - Parameter draw: draws them; not called for nil.
  func loss(ofRandom draw: () throws -> RandomImages) throws -> Tensor?

  /// What the objective learns, by name, on the network's device: saved with the run and loaded in place.
  var state: [String: Tensor] { get }

  /// Called after the network's optimizer has made a step, which can no longer be abandoned.
  func finishStep() throws
}

extension Objective {
  public func loss(ofRandom draw: () throws -> RandomImages) throws -> Tensor? { nil }

  public var state: [String: Tensor] { [:] }

  public func finishStep() throws {}

  public func chooser(for target: Target) -> any Chooser { NearestChooser(target) }
}

/// One level of a training step.
public struct LevelStep {
  /// What was chosen from.
  public let candidates: Candidates
  /// What was chosen.
  public let output: LevelOutput
  /// The images to approximate.
  public let target: Target
  /// L of the network.
  public let levels: Int
  /// The finished share of the run, in 0..<1.
  public let progress: Double
}

/// Images of uniformly drawn codes, beside as many images of the data.
public struct RandomImages {
  /// `[B, C, H, W]`, with gradients to the network.
  public let drawn: Tensor
  /// `[B, C, H, W]`.
  public let data: Tensor
  /// `[B]` int64, the classes of both; nil without classes.
  public let classes: Tensor?
}

/// The pixel distance, as loss and for choosing nodes.
///
/// Source: paper, section 3.1 (plain L2 loss on the chosen image).
public struct PixelObjective: Objective {
  private let measure: NodeDistances.Measure

  public init(_ measure: NodeDistances.Measure = .squared) { self.measure = measure }

  public func losses(of step: LevelStep) throws -> Tensor { try step.output.losses(to: step.target, measure: measure) }

  public func chooser(for target: Target) -> any Chooser { NearestChooser(target, measure: measure) }
}

/// A weighted sum of objectives; the first one chooses.
public struct SumObjective: Objective {
  private let terms: [(weight: Double, objective: any Objective)]

  /// - Parameters:
  ///   - first: of weight 1; it chooses the nodes.
  ///   - others: with their weights.
  public init(_ first: any Objective, _ others: [(weight: Double, objective: any Objective)]) {
    terms = [(1, first)] + others
  }

  public func losses(of step: LevelStep) throws -> Tensor {
    var sum = try terms[0].objective.losses(of: step)
    for (weight, objective) in terms.dropFirst() { sum = try sum + objective.losses(of: step) * weight }
    return sum
  }

  public func chooser(for target: Target) -> any Chooser { terms[0].objective.chooser(for: target) }

  public func loss(ofRandom draw: () throws -> RandomImages) throws -> Tensor? {
    var sum: Tensor?
    for (weight, objective) in terms {
      guard let loss = try objective.loss(ofRandom: draw) else { continue }
      sum = try sum.map { try $0 + loss * weight } ?? loss * weight
    }
    return sum
  }

  public var state: [String: Tensor] {
    var state: [String: Tensor] = [:]
    for (index, (_, objective)) in terms.enumerated() {
      for (name, tensor) in objective.state { state["\(index)/\(name)"] = tensor }
    }
    return state
  }

  public func finishStep() throws {
    for (_, objective) in terms { try objective.finishStep() }
  }
}
