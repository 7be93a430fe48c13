import DDN
import DDNModels
import Testing
import Torch

@testable import DDNTrees

@Suite("Search by distance") struct TreeSearchTests {
  private static func search(
    classes: Bool, beams: Int
  ) throws -> (network: RecurrentNetwork, codes: PathTable, search: TreeSearch, decoded: Tensor) {
    let network = try RecurrentNetwork(
      .init(baseWidth: 4, nodes: 4, repeats: 4, isClassConditional: classes), generator: Generator(seed: 3))
    let codes = PathTable(seeds: 0..<150, in: network.codeSpace, classes: network.classes)
    let entries = (0..<150).map { codes.entry($0) }
    let decoded = try network.decode(entries.map(\.code), classes: classes ? entries.map { $0.classIndex! } : nil)
    return (network, codes, try TreeSearch(CodeIndex(codes), network: network, beams: beams), decoded)
  }

  @Test("with enough beams the result is that of decoding all codes", arguments: [false, true])
  func exact(classes: Bool) throws {
    let (network, codes, search, decoded) = try Self.search(classes: classes, beams: 1000)
    for seed in 0..<3 as Range<UInt64> {
      let target = try Tensor.uniform([1] + network.imageShape, generator: Generator(seed: seed)) * 2 - 1
      let distances = try (decoded - target).squared().mean([1, 2, 3]).array(Double.self)
      for classIndex in classes ? [nil, 3] : [nil] {
        let rows = distances.indices.filter { classIndex == nil || codes.entry($0).classIndex == classIndex }
        let best = rows.sorted { (distances[$0], $0) < (distances[$1], $1) }.prefix(10)
        let found = try search.nearest(to: target, classIndex: classIndex, count: 10)
        #expect(found.count == 10)
        for (match, row) in zip(found, best) {
          // Rounding may swap equals.
          #expect(abs(match.distance - distances[row]) < 1e-5 && abs(match.distance - distances[match.row]) < 1e-5)
        }
      }
    }
  }

  @Test("few beams find existing codes with exact distances, and a trained model's image of the set itself")
  func few() throws {
    let network = try Model(contentsOf: Model.shippedURL("mnist-k8-l3")).network
    let codes = PathTable(seeds: 0..<150, in: network.codeSpace)
    let search = try TreeSearch(CodeIndex(codes), network: network, beams: 32)
    let decoded = try network.decode((0..<150).map { codes.entry($0).code })
    for row in [0, 17, 101] {
      let target = try decoded.slice(0, row..<row + 1)
      let distances = try (decoded - target).squared().mean([1, 2, 3]).array(Double.self)
      let found = try search.nearest(to: target, count: 5)
      #expect(found.count == 5 && found.allSatisfy { abs($0.distance - distances[$0.row]) < 1e-5 })
      #expect(found[0].distance < 1e-5)
    }
    var recall = try SearchRecall(of: search, top: 5)
    for row in 0..<10 { try recall.add(decoded.slice(0, row..<row + 1)) }
    #expect(recall.foundFirst >= 0.8)
    #expect(recall.found > 0.3 && recall.found <= 1)
  }
}
