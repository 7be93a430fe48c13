import DDN
import Foundation
import GoldenSupport
import Testing

/// Split-and-Prune, compared to runs of the original program; all counters must be bit-identical.
@Suite("Split-and-Prune, compared to the original")
struct SplitAndPruneGoldenTests {
  @Test(
    "a sequence of batches gives the same counters and splits",
    arguments: [
      "k2_b1", "k2_b16", "k3_b5", "k8_b16_mixed", "k8_b16_points", "k8_b16_skew", "k64_b32",
    ])
  func sequence(name: String) throws {
    let run = try JSONDecoder().decode(
      GoldenRun.self, from: Data(contentsOf: Golden.url("F/\(name).json")))
    let golden = try GoldenCounters(file: "F/\(name).safetensors", nodes: run.k, batch: run.b)
    let splits = Dictionary(uniqueKeysWithValues: run.splits.map { ($0.step, $0) })
    let policy = SplitPolicy(rule: .totalVariation)
    var statistics = NodeStatistics(nodes: run.k)

    for step in 0..<run.steps {
      let distances = golden.distances(step)
      let pairs = try nearestPairs(distances, nodes: run.k)
      try #require(pairs.nearest == golden.nearest(step), "nearest nodes, step \(step)")
      statistics.record(
        nearest: pairs.nearest, second: pairs.second, distanceSums: columnSums(distances, columns: run.k))
      try #require(statistics.counts == golden.row("count_before_split", step), "step \(step)")

      let split = policy.decide(statistics)
      let expected = splits[step]
      try #require(
        split == expected.map { .init(donor: $0.donor, pruned: $0.pruned) }, "split, step \(step)")
      if let split, let expected {
        #expect(statistics.share(of: split.donor) == expected.donorShare)
        #expect(statistics.share(of: split.pruned) == expected.prunedShare)
        #expect(statistics.images == expected.images)
        statistics.split(donor: split.donor, pruned: split.pruned, rule: policy.rule)
      }
      try #require(statistics.counts == golden.row("count", step), "step \(step)")
      try #require(statistics.distanceSums == golden.row("loss_acc", step), "step \(step)")
      try #require(statistics.lineage == golden.lineage(step), "step \(step)")
      let rivals = statistics.rivalCounts
      try #require(rowSums(rivals, columns: run.k) == golden.row("near2_rowsum", step), "step \(step)")
      try #require(columnSums(rivals, columns: run.k) == golden.row("near2_colsum", step), "step \(step)")
      if let index = run.rivalSteps.firstIndex(of: step) {
        try #require(rivals == golden.rivals(index), "rivals, step \(step)")
      }
    }

    #expect(run.splits.count == run.splitCount)
    #expect(statistics.splitImages == run.splitImages)
    #expect(statistics.images == run.images)
    #expect(statistics.batches == run.batches)
    #expect(statistics.newestLineage == run.newestLineage)
  }

  @Test("one split changes the counters the same, in every branch")
  func units() throws {
    let cases = try JSONDecoder().decode(
      [String: GoldenUnit].self, from: Data(contentsOf: Golden.url("F/split_units.json")))
    let golden = try Golden.safetensors("F/split_units.safetensors")
    #expect(cases.count == 7)
    for (name, unit) in cases {
      var statistics = NodeStatistics(
        counts: try golden.doubles("\(name).before.count"),
        rivalCounts: try golden.doubles("\(name).before.near2"),
        distanceSums: try golden.doubles("\(name).before.loss_acc"),
        images: unit.images)
      statistics.split(donor: unit.donor, pruned: unit.pruned, rule: .totalVariation)
      #expect(try statistics.counts == golden.doubles("\(name).after.count"), "\(name)")
      #expect(try statistics.rivalCounts == golden.doubles("\(name).after.near2"), "\(name)")
      #expect(try statistics.distanceSums == golden.doubles("\(name).after.loss_acc"), "\(name)")
      #expect(
        try statistics.lineage == golden.int32s("\(name).after.i_to_idx").map { Int($0) }, "\(name)")
      #expect(statistics.images == unit.images, "\(name)")
      #expect(statistics.splitImages == [unit.images], "\(name)")
    }
  }

  @Test("decisions are the same, including warm-up and ties")
  func decisions() throws {
    let cases = try JSONDecoder().decode(
      [GoldenDecision].self, from: Data(contentsOf: Golden.url("F/decisions.json")))
    let decided = cases.filter { $0.note == nil }
    #expect(decided.count == 19)
    for (index, golden) in decided.enumerated() {
      let nodes = golden.count.count
      let statistics = NodeStatistics(
        counts: golden.count,
        rivalCounts: Array(repeating: 0, count: nodes * nodes),
        distanceSums: golden.distanceSums ?? Array(repeating: 1, count: nodes),
        images: try #require(golden.images))
      let policy = SplitPolicy(rule: .totalVariation, warmupImages: golden.warmupImages ?? 0)
      let split = policy.decide(statistics)
      #expect(split?.donor == golden.result?.donor, "decision \(index)")
      #expect(split?.pruned == golden.result?.pruned, "decision \(index)")
      if let donorShare = golden.result?.donorShare, let prunedShare = golden.result?.prunedShare {
        #expect(split.map { statistics.share(of: $0.donor) } == donorShare, "decision \(index)")
        #expect(split.map { statistics.share(of: $0.pruned) } == prunedShare, "decision \(index)")
      }
    }

    let ties = try #require(cases.first { $0.note == "ties" })
    let pairs = try nearestPairs(try #require(ties.matrix).flatMap { $0 }, nodes: 4)
    var statistics = NodeStatistics(nodes: 4)
    statistics.record(nearest: pairs.nearest, second: pairs.second, distanceSums: [0, 0, 0, 0])
    #expect(pairs.nearest == ties.nearest)
    #expect(statistics.counts == ties.count)
    #expect(statistics.rivalCounts == ties.rivalCounts?.flatMap { $0 })
  }

  private func rowSums(_ matrix: [Double], columns: Int) -> [Double] {
    stride(from: 0, to: matrix.count, by: columns).map { pairwiseSum(matrix[$0..<$0 + columns]) }
  }

  /// Column sums in row order, in the matrix's precision, like NumPy.
  private func columnSums<Value: BinaryFloatingPoint>(_ matrix: [Value], columns: Int) -> [Value] {
    var sums = Array(repeating: Value.zero, count: columns)
    for (index, value) in matrix.enumerated() { sums[index % columns] += value }
    return sums
  }
}
