import DDN
import Foundation

/// A handful of nodes on a line under a bell curve: what Split-and-Prune does, small enough to draw.
///
/// A node stands for everything nearer to it than to its neighbours. P is the probability of that interval in the target,
/// Q the probability with which the model generates the node: 1/K for all.
/// Source: paper, Figures 4 and 18.
public struct NodeLine: Codable, Sendable, Equatable {
  /// Where the nodes are, in rising order, in -1...1.
  public private(set) var nodes: [Double]

  /// A step of the illustration.
  public struct Stage: Codable, Sendable, Equatable {
    public let title: String
    public let line: NodeLine
    /// The node that the step is about, if any.
    public let marked: Int?
    /// Probability of the target within each node's interval.
    public let p: [Double]
    /// Probability of each node in the model.
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

  /// The target: a normal distribution, cut off at -1 and 1.
  public static let mean = 0.0
  public static let deviation = 0.3

  /// - Parameter nodes: in any order, at least two.
  init(_ nodes: [Double]) { self.nodes = nodes.sorted() }

  /// The target's density at `x`, which integrates to 1 over -1...1.
  public static func density(_ x: Double) -> Double {
    let z = (x - mean) / deviation
    return exp(-z * z / 2) / (deviation * (2 * .pi).squareRoot()) / mass(below: 1)
  }

  /// The target's probability between -1 and `x`, but for a constant factor.
  private static func mass(below x: Double) -> Double {
    func normal(_ x: Double) -> Double { erf((x - mean) / deviation / 2.0.squareRoot()) / 2 }
    return normal(x) - normal(-1)
  }

  /// Where one node's interval ends and the next begins: K + 1 places from -1 to 1.
  public var boundaries: [Double] { [-1] + zip(nodes, nodes.dropFirst()).map { ($0 + $1) / 2 } + [1] }

  /// `[K]`, the target's probability within each interval: P.
  public var targetProbabilities: [Double] {
    let masses = boundaries.map { Self.mass(below: $0) / Self.mass(below: 1) }
    return zip(masses, masses.dropFirst()).map { $1 - $0 }
  }

  /// The steps of the paper's figure: as they start, the busiest node split in two, the rarest pruned, and the end.
  public static func stages(nodes count: Int, seed: UInt64) -> [Stage] {
    precondition(count >= 2, "a line of \(count) nodes has nothing to split")
    var generator = SplitMix64(seed: seed, stream: UInt64(count))
    let initial = NodeLine((0..<count).map { _ in Double(generator.unitPoint().x) * 2 - 1 })
    let p = initial.targetProbabilities
    let (donor, pruned) = (p.firstIndex(of: p.max()!)!, p.firstIndex(of: p.min()!)!)
    // The twins are alike at first; shown where the loss draws them, to the middles of the halves that they come to own.
    let (left, right) = (initial.boundaries[donor], initial.boundaries[donor + 1])
    var places = initial.nodes
    places[donor] = (left + initial.nodes[donor]) / 2
    places.append((initial.nodes[donor] + right) / 2)
    let split = NodeLine(places)
    let rarest = split.targetProbabilities.firstIndex(of: split.targetProbabilities.min()!)!
    var kept = split
    kept.nodes.remove(at: rarest)
    return [
      Stage("initial", initial, marked: donor),
      Stage("split", split, marked: split.nodes.firstIndex(of: initial.nodes[pruned])),
      Stage("prune", kept),
      Stage("final", initial.trained(samplesOfRound: 200 * count, &generator)),
    ]
  }

  /// The nodes after the method has run: the paper's rule, one sample a step, strides that grow shorter.
  ///
  /// Counting begins anew in every round, so that it tells of nodes where they are, not of where they were; the last
  /// round only settles what the others have split.
  private func trained(rounds: Int = 16, samplesOfRound: Int, _ generator: inout SplitMix64) -> NodeLine {
    var nodes = nodes
    for round in 0..<rounds {
      var statistics = NodeStatistics(nodes: nodes.count)
      let policy = SplitPolicy(rule: round < rounds - 1 ? .paper : .none, warmupImages: samplesOfRound / 4)
      let stride = 0.2 * pow(0.75, Double(round))
      for _ in 0..<samplesOfRound {
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

  /// One number from the target.
  private static func draw(_ generator: inout SplitMix64) -> Double {
    while true {
      let uniform = Double(generator.next() >> 11) * 0x1p-53
      let angle = 2 * Double.pi * Double(generator.next() >> 11) * 0x1p-53
      let number = mean + deviation * (-2 * log(1 - uniform)).squareRoot() * cos(angle)
      if abs(number) < 1 { return number }
    }
  }
}
