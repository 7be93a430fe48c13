import DDN
import Torch

/// Adds a bias to every node's distance that grows with its use so far, so that all nodes are used alike: an alternative
/// to Split-and-Prune. The bias only acts on choices in training; no loss has it.
///
/// Source: Wang et al., Auxiliary-Loss-Free Load Balancing Strategy for Mixture-of-Experts (2024); here the bias is in
/// proportion to the counts of all images so far, the sum of its updates.
struct BalancedChooser: Chooser {
  private let inner: any Chooser
  private let network: any DiscreteDistributionNetwork
  private let strength: Double

  /// - Parameters:
  ///   - inner: whose distances are biased; it must have some.
  ///   - network: whose layers count their nodes' use.
  ///   - strength: the bias, in units of a batch's mean least distance, of a node used twice as often as the mean.
  init(_ inner: any Chooser, network: any DiscreteDistributionNetwork, strength: Double) {
    self.inner = inner
    self.network = network
    self.strength = strength
  }

  func choose(from candidates: Candidates) throws -> Choice {
    let choice = try inner.choose(from: candidates)
    let statistics = network.layer(at: candidates.level).statistics
    let total = statistics.total
    guard let distances = choice.distances, total > 0 else { return choice }
    let excess = statistics.counts.map { Float($0 / total * Double(candidates.nodes) - 1) }  // [K], at least -1
    let nearest = try (distances * -1).maximum([1]).mean() * -strength
    let biased = try distances + nearest * Tensor(excess, shape: [candidates.nodes]).to(distances.device)
    return Choice(codes: try biased.argmin(1), distances: biased)
  }
}
