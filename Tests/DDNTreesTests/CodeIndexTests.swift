import DDN
import Testing
import Torch

@testable import DDNTrees

@Suite("Search by prefix") struct CodeIndexTests {
  /// Steps that two paths share.
  private static func common(_ left: [Int], _ right: [Int]) -> Int { zip(left, right).prefix { $0 == $1 }.count }

  @Test(
    "matches are those of a comparison with all codes, ties in order",
    arguments: [(3, 5, 0), (300, 2, 0), (70_000, 2, 0), (4, 4, 3)])
  func allCodes(nodes: Int, levels: Int, classes: Int) throws {
    let space = CodeSpace(nodes: nodes, levels: levels, side: 4)
    let table = PathTable(seeds: (0..<500).map { UInt64($0 % 400) }, in: space, classes: classes)
    let paths = (0..<table.count).map { row in (0..<table.steps).map { table.step($0, of: row) } }
    #expect(paths[7].suffix(levels) == LatentCode(seed: 7, in: space).choices[...])
    let index = CodeIndex(table)
    for seed in 300..<600 as Range<UInt64> {
      let query = (classes > 0 ? [Int(seed) % classes] : []) + LatentCode(seed: seed, in: space).choices
      let ranked = paths.indices.sorted {
        let (left, right) = (Self.common(paths[$0], query), Self.common(paths[$1], query))
        return (right, $0) < (left, $1)
      }
      let expected = ranked.prefix(20).map { CodeIndex.Match(row: $0, commonSteps: Self.common(paths[$0], query)) }
      #expect(index.nearest(to: query, count: 20) == expected)
    }
  }

  @Test("a partial code finds its subtree first") func partial() throws {
    let space = CodeSpace(nodes: 4, levels: 3, side: 4)
    var table = PathTable(space)
    for choices in [[0, 0, 0], [1, 2, 3], [1, 0, 0], [1, 2, 0]] { try table.append(LatentCode(choices, in: space)) }
    #expect(CodeIndex(table).nearest(to: [1, 2], count: 3).map(\.row) == [1, 3, 2])
    #expect(CodeIndex(table).nearest(to: [1, 2], count: 9).map(\.commonSteps) == [2, 2, 1, 0])
    #expect(CodeIndex(PathTable(space)).nearest(to: [1], count: 3).isEmpty)
  }

  @Test("a subtree's children are its occupied ones, with all of its codes") func children() throws {
    let table = PathTable(seeds: 0..<200, in: CodeSpace(nodes: 6, levels: 4, side: 4))
    let index = CodeIndex(table)
    let roots = index.children(in: 0..<200, depth: 0)
    #expect(roots.map(\.step) == Array(0..<6) && roots.map(\.range.count).reduce(0, +) == 200)
    for root in roots {
      #expect(root.range.allSatisfy { table.step(0, of: index.row($0)) == root.step })
      #expect(index.range(in: 0..<200, depth: 0, step: root.step) == root.range)
    }
  }
}
