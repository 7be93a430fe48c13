import DDN
import DDNEvaluation
import Foundation
import Testing
import Torch

@Suite("Neighbours") struct NeighbourSearchTests {
  @Test("neighbours are those of a plain search, by distance") func plain() throws {
    let source = try MemoryImages.golden()
    let queries = try source.all.slice(0, 3..<6) + 0.01
    let search = try NeighbourSearch(in: source, of: queries, nearest: 5, features: NeighbourSearch.pixels)
    let found = try search.neighbours()
    let all = try source.all.array(Float.self)
    let wanted = try queries.array(Float.self)
    for query in 0..<3 {
      let plain = (0..<400).map { image -> (Int, Double) in
        let sum = (0..<16).reduce(0.0) { $0 + pow(Double(all[image * 16 + $1] - wanted[query * 16 + $1]), 2) }
        return (image, (sum / 16).squareRoot() * 127.5)
      }.sorted { $0.1 < $1.1 }.prefix(5)
      #expect(found[query].map(\.index) == plain.map(\.0))
      #expect(zip(found[query], plain).allSatisfy { abs($0.distance - $1.1) < 1e-3 })
      #expect(found[query][0].index == query + 3 && abs(found[query][0].distance - 1.275) < 1e-3)
    }
  }

  @Test("a copy has distance zero; small data sets give fewer") func copies() throws {
    let source = MemoryImages(all: try MemoryImages.golden().all.slice(0, 0..<3))
    let search = try NeighbourSearch(in: source, of: source.all, nearest: 8, features: NeighbourSearch.pixels)
    let found = try search.neighbours()
    #expect(found.allSatisfy { $0.count == 3 })
    #expect(found.map { $0[0].index } == [0, 1, 2] && found.allSatisfy { $0[0].distance == 0 })
  }
}
