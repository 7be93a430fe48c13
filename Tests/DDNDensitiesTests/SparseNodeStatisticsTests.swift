import DDN
import Testing

@testable import DDNDensities

@Suite("SparseNodeStatistics") struct SparseNodeStatisticsTests {
  /// Samples concentrated on few nodes, so that splits are due.
  private static func sample(_ nodes: Int, _ generator: inout SplitMix64) -> (nearest: Int, second: Int) {
    let place = generator.unitPoint()
    let nearest = min(Int(place.x * place.x * Float(nodes)), nodes - 1)
    let second = (nearest + (place.y < 0.5 || nearest == 0 ? 1 : nodes - 1)) % nodes
    return (nearest, second)
  }

  @Test(
    "they equal the full tables after every split", arguments: [2, 3, 8, 30],
    [SplitPolicy.Rule.paper, .totalVariation])
  func equalFullTables(nodes: Int, rule: SplitPolicy.Rule) {
    let policy = SplitPolicy(rule: rule)
    var sparse = SparseNodeStatistics(nodes: nodes)
    var full = NodeStatistics(nodes: nodes)
    var generator = SplitMix64(seed: UInt64(nodes))
    var splits = 0
    for seen in 1...100 * nodes {
      let (nearest, second) = Self.sample(nodes, &generator)
      sparse.record(nearest: nearest, second: second)
      full.record(nearest: [nearest], second: [second], distanceSums: [Float](repeating: 0, count: nodes))
      #expect(policy.decide(sparse) == policy.decide(full))
      // Split whether due or not, once nodes have enough rivals.
      guard seen > 40 * nodes, seen % 10 == 0, full.busiest.node != full.rarest.node else { continue }
      let (donor, pruned) = (full.busiest.node, full.rarest.node)
      // The intended difference: a pruned node whose only rival is itself.
      let others = (0..<nodes).filter { $0 != pruned && full.rivalCounts[pruned * nodes + $0] > 0 }
      if others.isEmpty && full.rivalCounts[pruned * (nodes + 1)] > 0 { break }
      sparse.split(donor: donor, pruned: pruned, rule: rule)
      full.split(donor: donor, pruned: pruned, rule: rule)
      splits += 1
      for node in 0..<nodes {
        #expect(abs(sparse.counts[node] - full.counts[node]) < 1e-6, "count of node \(node) after split \(splits)")
        for rival in 0..<nodes {
          #expect(abs(sparse.rivals[node, rival] - full.rivalCounts[node * nodes + rival]) < 1e-6)
        }
      }
    }
    #expect(splits >= 10, "only \(splits) splits were compared")
  }

  @Test(
    "splits conserve counts; the paper's rule drops those of the pruned node",
    arguments: [SplitPolicy.Rule.paper, .totalVariation])
  func conservation(rule: SplitPolicy.Rule) {
    let nodes = 300
    let policy = SplitPolicy(rule: rule)
    var statistics = SparseNodeStatistics(nodes: nodes)
    var generator = SplitMix64(seed: 3)
    for _ in 0..<400 {
      for _ in 0..<20 {
        let (nearest, second) = Self.sample(nodes, &generator)
        statistics.record(nearest: nearest, second: second)
      }
      guard let split = policy.decide(statistics) else { continue }
      let (total, pruned) = (statistics.total, statistics.counts[split.pruned])
      let hasHeirs = statistics.rivals.row(split.pruned).contains { Int($0.column) != split.pruned }
      statistics.split(donor: split.donor, pruned: split.pruned, rule: rule)
      let kept = rule == .totalVariation && hasHeirs ? total : total - pruned
      #expect(abs(statistics.total - kept) < 1e-6)
      #expect(statistics.counts[split.donor] == statistics.counts[split.pruned])
      #expect(statistics.brokenInvariant() == nil)
    }
  }

  @Test("the invariant check detects a negative entry")
  func brokenInvariants() {
    var statistics = SparseNodeStatistics(nodes: 3)
    statistics.record(nearest: 0, second: 1)
    #expect(statistics.brokenInvariant() == nil)
    var matrix = statistics.rivals
    matrix.add(-5, row: 0, column: 1)
    #expect(matrix.brokenInvariant() != nil)
  }
}
