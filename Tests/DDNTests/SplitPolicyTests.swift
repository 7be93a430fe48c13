import DDN
import Foundation
import GoldenSupport
import Testing

@Suite("Split policy")
struct SplitPolicyTests {
  @Test("by the paper's rule a split drops exactly the pruned node's count, and twins are equal")
  func paperBookkeeping() throws {
    var generator = SeededGenerator(seed: 2)
    let policy = SplitPolicy(rule: .paper)
    var splits = 0
    for nodes in [2, 3, 5, 8, 64] {
      for _ in 0..<40 {
        var statistics = randomStatistics(nodes: nodes, images: 20 * nodes, using: &generator)
        guard let split = policy.decide(statistics) else { continue }
        let before = statistics
        statistics.split(donor: split.donor, pruned: split.pruned, rule: policy.rule)
        splits += 1
        #expect(statistics.total == before.total - before.counts[split.pruned])
        #expect(statistics.counts[split.donor] == before.counts[split.donor] / 2)
        #expect(statistics.counts[split.pruned] == statistics.counts[split.donor])
        for node in 0..<nodes where node != split.donor && node != split.pruned {
          #expect(statistics.counts[node] == before.counts[node])
          #expect(statistics.lineage[node] == before.lineage[node])
        }
        #expect(statistics.images == before.images)
        #expect(statistics.lineage[split.donor] == nodes)
        #expect(statistics.lineage[split.pruned] == nodes + 1)
      }
    }
    #expect(splits > 50)
  }

  @Test("by total variation a split preserves the sums of counts and rival counts if every node has rivals")
  func totalVariationBookkeeping() throws {
    var generator = SeededGenerator(seed: 3)
    let policy = SplitPolicy(rule: .totalVariation)
    var splits = 0
    for nodes in [3, 5, 8, 64] {
      for _ in 0..<40 {
        var statistics = randomStatistics(nodes: nodes, images: 20 * nodes, using: &generator)
        guard let split = policy.decide(statistics), statistics.counts.allSatisfy({ $0 > 0 }) else { continue }
        let before = statistics
        statistics.split(donor: split.donor, pruned: split.pruned, rule: policy.rule)
        splits += 1
        #expect(abs(statistics.total - before.total) < 1e-9 * before.total)
        let rivals = statistics.rivalCounts.reduce(0, +)
        #expect(abs(rivals - before.total) < 1e-9 * before.total)
        #expect(statistics.counts[split.pruned] == statistics.counts[split.donor])
      }
    }
    #expect(splits > 20)
  }

  @Test(
    "after a split the twins are each other's only rivals",
    arguments: [SplitPolicy.Rule.paper, .totalVariation])
  func twinsAreRivals(rule: SplitPolicy.Rule) {
    var generator = SeededGenerator(seed: 4)
    var statistics = randomStatistics(nodes: 6, images: 200, using: &generator)
    statistics.split(donor: 4, pruned: 1, rule: rule)
    for (twin, other) in [(4, 1), (1, 4)] {
      for node in 0..<6 {
        #expect((statistics.rivalCounts[twin * 6 + node] > 0) == (node == other))
      }
    }
    for node in [0, 2, 3, 5] {
      #expect(statistics.rivalCounts[node * 6 + 4] == statistics.rivalCounts[node * 6 + 1])
    }
  }

  @Test("uniform use never splits", arguments: SplitPolicy.Rule.allCases)
  func evenUse(rule: SplitPolicy.Rule) {
    for nodes in [2, 3, 7, 8, 64, 512] {
      #expect(SplitPolicy(rule: rule).decide(statistics(Array(repeating: 3, count: nodes))) == nil)
    }
  }

  @Test(
    "an unused node is overwritten by the busiest",
    arguments: [SplitPolicy.Rule.paper, .totalVariation])
  func deadNode(rule: SplitPolicy.Rule) {
    let split = SplitPolicy(rule: rule).decide(statistics([3, 3, 0, 4]))
    #expect(split == .init(donor: 3, pruned: 2))
  }

  @Test("of two unused nodes total variation prunes the farther one, the paper's rule the first")
  func unusedNodes() {
    let twoUnused = statistics([3, 0, 0, 4], distanceSums: [1, 5, 7, 1])
    #expect(SplitPolicy(rule: .totalVariation).decide(twoUnused) == .init(donor: 3, pruned: 2))
    #expect(SplitPolicy(rule: .paper).decide(twoUnused) == .init(donor: 3, pruned: 1))
  }

  @Test("the paper's thresholds are twice and half a fair share, exclusive")
  func paperThresholds() {
    let policy = SplitPolicy(rule: .paper)
    #expect(policy.decide(statistics([8, 4, 2, 2])) == nil)
    #expect(policy.decide(statistics([9, 3, 2, 2])) == .init(donor: 0, pruned: 2))
    #expect(policy.decide(statistics([5, 5, 5, 1])) == .init(donor: 0, pruned: 3))
  }

  @Test("no rule splits a node onto itself, or anything before the first image")
  func neverOntoItself() {
    var generator = SeededGenerator(seed: 5)
    for rule in SplitPolicy.Rule.allCases {
      let policy = SplitPolicy(rule: rule)
      #expect(policy.decide(NodeStatistics(nodes: 4)) == nil)
      for _ in 0..<500 {
        let counts = (0..<Int.random(in: 2...6, using: &generator)).map { _ in
          Double(Int.random(in: 0...3, using: &generator))
        }
        if let split = policy.decide(statistics(counts)) { #expect(split.donor != split.pruned) }
      }
    }
  }

  @Test("the rule none never splits")
  func none() {
    #expect(SplitPolicy(rule: .none).decide(statistics([100, 0, 0, 0])) == nil)
  }

  @Test(
    "splits begin after more images than the warm-up",
    arguments: [SplitPolicy.Rule.paper, .totalVariation])
  func warmup(rule: SplitPolicy.Rule) {
    let uneven = statistics([10, 0, 0])
    #expect(SplitPolicy(rule: rule, warmupImages: 9).decide(uneven) != nil)
    #expect(SplitPolicy(rule: rule, warmupImages: 10).decide(uneven) == nil)
  }

  @Test("a policy is encoded by the command line's names")
  func codableNames() throws {
    #expect(SplitPolicy.Rule.allCases.map(\.rawValue) == ["paper", "total-variation", "none"])
    let policy = SplitPolicy(rule: .totalVariation, warmupImages: 6400)
    let data = try JSONEncoder().encode(policy)
    #expect(try JSONDecoder().decode(SplitPolicy.self, from: data) == policy)
  }

  @Test(
    "in one dimension splits fit two unequal peaks far better than gradient descent alone",
    arguments: [SplitPolicy.Rule.paper, .totalVariation])
  func unequalPeaks(rule: SplitPolicy.Rule) throws {
    let plain = try deviationAfterTraining(SplitPolicy(rule: .none))
    let split = try deviationAfterTraining(SplitPolicy(rule: rule))
    #expect(plain > 0.3, "four of eight nodes share 90% of the images")
    #expect(split < 0.5 * plain)
  }

  /// Fits eight numbers to two peaks, 90% of the mass in the first, and returns the total variation between
  /// the use of the numbers by new samples and uniform use.
  private func deviationAfterTraining(_ policy: SplitPolicy) throws -> Double {
    var generator = SeededGenerator(seed: 6)
    var values = (0..<8).map { Float($0) / 2 - 1.75 }
    var statistics = NodeStatistics(nodes: 8)
    for _ in 0..<4000 {
      let sample = peaksSample(using: &generator)
      let distances = values.map { ($0 - sample) * ($0 - sample) }
      let pair = try nearestPairs(distances, nodes: 8)
      statistics.record(nearest: pair.nearest, second: pair.second, distanceSums: distances)
      values[pair.nearest[0]] += 0.05 * (sample - values[pair.nearest[0]])
      if let split = policy.decide(statistics) {
        values[split.pruned] = values[split.donor]
        statistics.split(donor: split.donor, pruned: split.pruned, rule: policy.rule)
      }
    }
    var fresh = NodeStatistics(nodes: 8)
    for _ in 0..<2000 {
      let sample = peaksSample(using: &generator)
      let distances = values.map { ($0 - sample) * ($0 - sample) }
      let pair = try nearestPairs(distances, nodes: 8)
      fresh.record(nearest: pair.nearest, second: pair.second, distanceSums: distances)
    }
    return (0..<8).map { abs(fresh.share(of: $0) - 1 / 8) }.reduce(0, +) / 2
  }

  private func peaksSample(using generator: inout SeededGenerator) -> Float {
    let centre: Float = Float.random(in: 0..<1, using: &generator) < 0.9 ? -1 : 1
    let noise = (0..<4).map { _ in Float.random(in: -0.2...0.2, using: &generator) }.reduce(0, +)
    return centre + noise
  }

  /// Statistics with these counts, one image each, and no rivals.
  private func statistics(_ counts: [Double], distanceSums: [Double]? = nil) -> NodeStatistics {
    NodeStatistics(
      counts: counts,
      rivalCounts: Array(repeating: 0, count: counts.count * counts.count),
      distanceSums: distanceSums ?? Array(repeating: 1, count: counts.count),
      images: Int(counts.reduce(0, +)))
  }

  /// Statistics of one batch in which low nodes are nearest more often than high ones.
  private func randomStatistics(
    nodes: Int, images: Int, using generator: inout SeededGenerator
  ) -> NodeStatistics {
    var statistics = NodeStatistics(nodes: nodes)
    var nearest: [Int] = []
    var second: [Int] = []
    for _ in 0..<images {
      let node = min(Int.random(in: 0..<nodes, using: &generator), Int.random(in: 0..<nodes, using: &generator))
      nearest.append(node)
      second.append((node + Int.random(in: 1..<nodes, using: &generator)) % nodes)
    }
    let sums = (0..<nodes).map { _ in Float.random(in: 0...10, using: &generator) }
    statistics.record(nearest: nearest, second: second, distanceSums: sums)
    return statistics
  }
}
