import DDN
import Foundation
import GoldenSupport
import Testing
import Torch

/// As training finds them, `[B]`, of `[B, K]` distances.
func nearestPairs(_ distances: [Float], nodes: Int) throws -> (nearest: [Int], second: [Int]) {
  let pairs = try NodeStatistics.nearestPairs(Tensor(distances, shape: [distances.count / nodes, nodes]))
  return (try pairs.nearest.array(Int.self), try pairs.second.array(Int.self))
}

@Suite("Node statistics")
struct NodeStatisticsTests {
  @Test("the two nearest nodes are the first two of a stable sort by distance")
  func nearestPairsAgreeWithSorting() throws {
    var generator = SeededGenerator(seed: 1)
    for nodes in [2, 3, 8, 17] {
      // Few different values, so that ties are frequent.
      let distances = (0..<50 * nodes).map { _ in Float(Int.random(in: 0..<5, using: &generator)) }
      let pairs = try nearestPairs(distances, nodes: nodes)
      for image in 0..<50 {
        let row = distances[image * nodes..<(image + 1) * nodes]
        let order = row.enumerated().sorted { ($0.element, $0.offset) < ($1.element, $1.offset) }
        #expect(pairs.nearest[image] == order[0].offset)
        #expect(pairs.second[image] == order[1].offset)
      }
    }
  }

  @Test("recording a batch adds images, nearest nodes, rivals and distances")
  func recording() {
    var statistics = NodeStatistics(nodes: 3)
    statistics.record(nearest: [2, 2, 0], second: [0, 1, 2], distanceSums: [1, 2, 0.5])
    statistics.record(nearest: [2], second: [1], distanceSums: [1, 1, 0.25])
    #expect(statistics.counts == [1, 0, 3])
    #expect(statistics.rivalCounts == [0, 0, 1, 0, 0, 0, 1, 2, 0])
    #expect(statistics.distanceSums == [2, 3, 0.75])
    #expect(statistics.images == 4)
    #expect(statistics.batches == 2)
    #expect(statistics.lineage == [0, 1, 2])
    #expect(statistics.share(of: 2) == 0.75)
  }

  @Test("perplexity is the number of used nodes when they are used equally")
  func perplexity() {
    var statistics = NodeStatistics(nodes: 8)
    #expect(statistics.perplexity == 0)
    #expect(statistics.share(of: 0) == 0)
    let sums = [Float](repeating: 1, count: 8)
    statistics.record(nearest: [5], second: [1], distanceSums: sums)
    #expect(statistics.perplexity == 1)
    statistics.record(nearest: [1, 2, 3], second: [0, 0, 0], distanceSums: sums)
    #expect(abs(statistics.perplexity - 4) < 1e-12)
    statistics.record(nearest: [1, 1, 1, 1], second: [0, 0, 0, 0], distanceSums: sums)
    #expect(statistics.perplexity > 1 && statistics.perplexity < 4)
  }

  @Test("statistics survive a checkpoint exactly")
  func roundTrip() throws {
    var statistics = NodeStatistics(nodes: 3)
    statistics.record(nearest: [2, 2, 0], second: [0, 1, 2], distanceSums: [0.1, 0.2, 0.3])
    statistics.split(donor: 2, pruned: 1, rule: .totalVariation)
    let data = try JSONEncoder().encode(statistics)
    #expect(try JSONDecoder().decode(NodeStatistics.self, from: data) == statistics)
  }

  @Test("a checkpoint with inconsistent arrays is an error that names their sizes")
  func damagedCheckpoint() throws {
    let text = """
      {"counts": [1, 2, 3], "rivalCounts": [0, 0, 0, 0], "distanceSums": [0, 0, 0], "images": 6, "batches": 1,
       "lineage": [0, 1, 2], "newestLineage": 2, "splitImages": []}
      """
    let error = #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(NodeStatistics.self, from: Data(text.utf8))
    }
    guard case .dataCorrupted(let context) = error else {
      Issue.record("not a report of damaged data: \(String(describing: error))")
      return
    }
    #expect(context.debugDescription.contains("need 9 rival counts"))
    #expect(context.debugDescription.contains("not [4, 3, 3]"))
  }
}
