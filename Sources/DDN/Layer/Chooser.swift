import Torch

/// Chooses one of a level's K images for every image of the batch.
///
/// Source: paper, section 3.1 (Guided Sampler) and section 3.3.
public protocol Chooser {
  /// Chooses one node for every image.
  ///
  /// - Throws: `TorchError` when libtorch fails; what the chooser's own work throws.
  func choose(from candidates: Candidates) throws -> Choice
}

/// What was chosen at one level.
public struct Choice {
  /// `[B]` int64 in `0..<K`.
  public let codes: Tensor
  /// `[B, K]` distances to the target, if there is one; Split-and-Prune counts by them.
  public let distances: Tensor?

  public init(codes: Tensor, distances: Tensor? = nil) {
    self.codes = codes
    self.distances = distances
  }
}

/// Chooses the image nearest to the target; the lowest index among equals.
///
/// As a guide, its score is the negative distance.
public struct NearestChooser: Chooser, Guide {
  public let target: Target
  private let measure: NodeDistances.Measure

  public init(_ target: Target, measure: NodeDistances.Measure = .squared) {
    self.target = target
    self.measure = measure
  }

  public func choose(from candidates: Candidates) throws -> Choice {
    let distances = try candidates.distances(to: target, measure: measure)
    return Choice(codes: try distances.argmin(1), distances: distances)
  }

  public func scores(of candidates: Candidates) throws -> Tensor {
    try candidates.distances(to: target, measure: measure) * -1
  }
}

/// Chooses at random, every node with the same probability: the codes of `LatentCode(seed:)`.
public struct RandomChooser: Chooser {
  private let draws: SeededDraws

  public init(_ draws: SeededDraws) { self.draws = draws }

  public func choose(from candidates: Candidates) throws -> Choice {
    Choice(codes: try draws.integers(below: candidates.nodes, level: candidates.level))
  }
}

/// Chooses the codes it was given, and asks another chooser after their last level.
public struct GivenChooser: Chooser {
  private let codes: [Tensor]
  private let then: (any Chooser)?

  /// - Parameters:
  ///   - codes: for each level from 0, `[B]` int64 in range; fewer levels than the network has need `then`.
  ///   - then: chooses at the remaining levels.
  public init(_ codes: [Tensor], then: (any Chooser)? = nil) {
    self.codes = codes
    self.then = then
  }

  public func choose(from candidates: Candidates) throws -> Choice {
    if candidates.level < codes.count { return Choice(codes: codes[candidates.level]) }
    guard let then else { preconditionFailure("level \(candidates.level) has no given code: there are \(codes.count)") }
    return try then.choose(from: candidates)
  }
}

/// Replaces a chooser's choice by a random one with some probability, so that training also visits other paths.
///
/// Source: paper, section 3.4 (Chain Dropout).
public struct ChainDropout: Chooser {
  /// What shares one draw.
  public enum Scope: String, Codable, Sendable, CaseIterable {
    /// Each image of the batch.
    case sample
    /// The whole batch, as in the original program.
    case batch
  }

  private let inner: any Chooser
  /// Of each level from 0; the last one's of all further ones.
  private let probabilities: [Double]
  private let scope: Scope
  private let generator: Generator
  private let share: BatchShare

  /// - Parameters:
  ///   - inner: the chooser whose choices are replaced.
  ///   - probabilities: in 0...1, of each level from 0; the last one's of all further levels.
  ///   - scope: whether a draw is for the batch or for each image.
  ///   - generator: on the device of the network.
  ///   - share: the images of a batch over several processes that this one has; all of them draw the same numbers.
  public init(
    _ inner: any Chooser, probabilities: [Double], scope: Scope, generator: Generator, share: BatchShare = .whole
  ) {
    precondition(
      !probabilities.isEmpty && probabilities.allSatisfy { (0...1).contains($0) },
      "probabilities are within 0...1, not \(probabilities)")
    self.inner = inner
    self.probabilities = probabilities
    self.scope = scope
    self.generator = generator
    self.share = share
  }

  public func choose(from candidates: Candidates) throws -> Choice {
    let choice = try inner.choose(from: candidates)
    let probability = probabilities[min(candidates.level, probabilities.count - 1)]
    guard probability > 0 else { return choice }
    let samples = share.batch(of: candidates.samples)
    var draws = try Tensor.uniform([scope == .sample ? samples : 1], generator: generator)
    if scope == .sample { draws = try share.part(of: draws) }
    let isDropped = try draws.isLess(than: probability)
    let random = try share.part(of: .integers(in: 0..<candidates.nodes, [samples], generator: generator))
    return Choice(codes: try isDropped.selecting(random, else: choice.codes), distances: choice.distances)
  }
}
