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

  /// Called before a step, which may take several batches and may be abandoned.
  func beginStep() throws

  /// Called after the network's optimizer has made a step, which can no longer be abandoned.
  func finishStep() throws
}

extension Objective {
  public func loss(ofRandom draw: () throws -> RandomImages) throws -> Tensor? { nil }

  public var state: [String: Tensor] { [:] }

  public func beginStep() throws {}

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

/// How far an image is from its target.
public enum PixelLoss: String, Codable, Sendable, CaseIterable {
  /// Mean squared difference.
  case squared
  /// Mean absolute difference.
  case absolute
  /// The logarithm of the mean squared difference, in units of a batch's mean error: a mean PSNR, to which an image
  /// with little error counts as much as one with a large one.
  case psnr

  /// Of images, to choose nodes by; the logarithm chooses the same.
  public var measure: NodeDistances.Measure { self == .absolute ? .absolute : .squared }
}

/// The pixel distance, as loss and for choosing nodes.
///
/// Source: paper, section 3.1 (plain L2 loss on the chosen image); its logarithm is this project's.
public struct PixelObjective: Objective {
  private static let logOperator = Operator("aten::log")
  /// Of an error, to keep its logarithm finite: that of an image a quarter of a gray level off.
  private static let leastError = 4e-6

  private let loss: PixelLoss

  public init(_ loss: PixelLoss = .squared) { self.loss = loss }

  public func losses(of step: LevelStep) throws -> Tensor {
    let distances = try step.output.losses(to: step.target, measure: loss.measure)
    guard loss == .psnr else { return distances }
    let mean = try withoutGradients { try distances.mean().clamped(Self.leastError...(.infinity)) }
    // Its gradient is the distance's times mean / distance: 1 for an image with the mean error.
    let logarithms = try Self.logOperator.tensor(.tensor(distances.clamped(Self.leastError...(.infinity)) / mean))
    return try (logarithms + 1) * mean
  }

  public func chooser(for target: Target) -> any Chooser { NearestChooser(target, measure: loss.measure) }
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

  public func beginStep() throws {
    for (_, objective) in terms { try objective.beginStep() }
  }

  public func finishStep() throws {
    for (_, objective) in terms { try objective.finishStep() }
  }
}
