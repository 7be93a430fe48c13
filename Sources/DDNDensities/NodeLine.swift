import DDN
import Foundation

/// Split-and-Prune in one dimension: a few nodes fitted to a truncated normal distribution.
///
/// A node's interval is everything nearer to it than to its neighbours. P is the interval's probability under the
/// target, Q the model's probability of the node, 1/K.
/// Source: paper, Figures 4 and 18.
public struct NodeLine: Codable, Sendable, Equatable {
  /// Ascending positions in [-1, 1].
  public private(set) var nodes: [Double]

  /// A step of the illustration.
  public struct Stage: Codable, Sendable, Equatable {
    public let title: String
    public let line: NodeLine
    /// The node to be split or pruned next, if any.
    public let marked: Int?
    /// `[K]`, P of each node.
    public let p: [Double]
    /// Q of every node.
    public let q: Double
    /// Kullback-Leibler divergence of P from Q, in nats.
    public let kl: Double

    init(_ title: String, _ line: NodeLine, marked: Int? = nil) {
      self.title = title
      self.line = line
      self.marked = marked
      p = line.targetProbabilities
      q = 1 / Double(line.nodes.count)
      kl = p.reduce(0) { [q] in $1 > 0 ? $0 + $1 * log($1 / q) : $0 }
    }
  }

  /// The target: a normal distribution, truncated to [-1, 1].
  public static let mean = 0.0
  public static let deviation = 0.3

  /// - Parameter nodes: in any order, at least two.
  init(_ nodes: [Double]) { self.nodes = nodes.sorted() }

  /// The target's density at `x`.
  public static func density(_ x: Double) -> Double {
    let z = (x - mean) / deviation
    return exp(-z * z / 2) / (deviation * (2 * .pi).squareRoot()) / mass(below: 1)
  }

  /// The target's probability of [-1, x], unnormalized.
  private static func mass(below x: Double) -> Double {
    func normal(_ x: Double) -> Double { erf((x - mean) / deviation / 2.0.squareRoot()) / 2 }
    return normal(x) - normal(-1)
  }

  /// The K + 1 ends of the nodes' intervals, from -1 to 1.
  public var boundaries: [Double] { [-1] + zip(nodes, nodes.dropFirst()).map { ($0 + $1) / 2 } + [1] }

  /// `[K]`, P of each node.
  public var targetProbabilities: [Double] {
    let masses = boundaries.map { Self.mass(below: $0) / Self.mass(below: 1) }
    return zip(masses, masses.dropFirst()).map { $1 - $0 }
  }

  /// The steps of the paper's figure: initial, busiest node split, rarest node pruned, final.
  public static func stages(nodes count: Int, seed: UInt64) -> [Stage] {
    precondition(count >= 2, "\(count) nodes are fewer than 2")
    var generator = SplitMix64(seed: seed, stream: UInt64(count))
    let initial = NodeLine((0..<count).map { _ in Double(generator.unitPoint().x) * 2 - 1 })
    let p = initial.targetProbabilities
    let donor = p.firstIndex(of: p.max()!)!
    // The twins start equal; drawn where the loss moves them, in the middles of their halves of the interval.
    let (left, right) = (initial.boundaries[donor], initial.boundaries[donor + 1])
    var positions = initial.nodes
    positions[donor] = (left + initial.nodes[donor]) / 2
    positions.append((initial.nodes[donor] + right) / 2)
    let split = NodeLine(positions)
    let rarest = split.targetProbabilities.firstIndex(of: split.targetProbabilities.min()!)!
    var remaining = split
    remaining.nodes.remove(at: rarest)
    return [
      Stage("initial", initial, marked: donor),
      Stage("split", split, marked: rarest),
      Stage("prune", remaining),
      Stage("final", initial.trained(samplesPerRound: 200 * count, &generator)),
    ]
  }

  /// Trains with the paper's rule, one sample per step and a decreasing step size.
  ///
  /// Each round starts new statistics, so that counts belong to current positions; the last round has no splits.
  private func trained(rounds: Int = 16, samplesPerRound: Int, _ generator: inout SplitMix64) -> NodeLine {
    var nodes = nodes
    for round in 0..<rounds {
      var statistics = NodeStatistics(nodes: nodes.count)
      let policy = SplitPolicy(rule: round < rounds - 1 ? .paper : .none, warmupImages: samplesPerRound / 4)
      let stride = 0.2 * pow(0.75, Double(round))
      for _ in 0..<samplesPerRound {
        let sample = Self.draw(&generator)
        let order = nodes.indices.sorted { abs(nodes[$0] - sample) < abs(nodes[$1] - sample) }
        nodes[order[0]] += stride * (sample - nodes[order[0]])
        statistics.record(
          nearest: [order[0]], second: [order[1]], distanceSums: nodes.map { Float(($0 - sample) * ($0 - sample)) })
        if let split = policy.decide(statistics) {
          statistics.split(donor: split.donor, pruned: split.pruned, rule: policy.rule)
          nodes[split.pruned] = nodes[split.donor]
        }
      }
    }
    return NodeLine(nodes)
  }

  /// One sample of the target.
  private static func draw(_ generator: inout SplitMix64) -> Double {
    while true {
      let uniform = Double(generator.next() >> 11) * 0x1p-53
      let angle = 2 * Double.pi * Double(generator.next() >> 11) * 0x1p-53
      let number = mean + deviation * (-2 * log(1 - uniform)).squareRoot() * cos(angle)
      if abs(number) < 1 { return number }
    }
  }
}
