import DDN
import Foundation
import Testing
import Torch

@testable import DDNTrees

@Suite("Labels read off the tree") struct LabelTreeTests {
  private static let space = CodeSpace(nodes: 4, levels: 3, side: 4)

  private static func table(_ codes: [[Int]]) throws -> PathTable {
    var table = PathTable(space)
    for choices in codes { try table.append(LatentCode(choices, in: space)) }
    return table
  }

  @Test("the majority is that of the deepest node with votes; ties go to the ancestors, then to the lowest label")
  func majority() throws {
    let codes = try Self.table([
      [0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1], [2, 0, 0], [2, 0, 0],
    ])
    let labels = [2, 2, 1, 1, 0, 1, 2, 0]
    let tree = LabelTree(codes, rows: codes.rows, labelOfRow: labels, labels: 3)
    let queries = try Self.table([
      [0, 0, 0], [0, 0, 1], [0, 0, 3], [0, 3, 0], [1, 1, 0], [1, 2, 2], [2, 0, 0], [3, 0, 0],
    ])
    // At node 0 and at the root labels 1 and 2 have as many votes.
    #expect(queries.rows.map { tree.majority(queries, row: $0) } == [2, 1, 2, 1, 1, 1, 2, 1])
  }

  @Test("smoothed probabilities follow the recursion, and leave out a code's own vote") func smoothing() throws {
    let codes = try Self.table([[0, 0, 0], [0, 0, 1], [1, 0, 0]])
    let tree = LabelTree(codes, rows: codes.rows, labelOfRow: [0, 1, 1], labels: 2)
    let root = [(1 + 2 * 0.5) / 5, (2 + 2 * 0.5) / 5]
    let node = [(0 + 2 * root[0]) / 3, (1 + 2 * root[1]) / 3]
    let query = try Self.table([[1, 3, 3], [0, 0, 0]])
    #expect(zip(tree.probabilities(query, row: 0, strength: 2), node).allSatisfy { abs($0 - $1) < 1e-12 })

    // Without the vote of row 0 the tree is that of the others.
    let others = LabelTree(codes, rows: [1, 2], labelOfRow: [0, 1, 1], labels: 2)
    let judged = tree.probabilities(codes, row: 0, strength: 0.3, omitting: 0)
    #expect(zip(judged, others.probabilities(codes, row: 0, strength: 0.3)).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  @Test("the strength is large for random labels, and small for labels that the code determines") func strength() throws
  {
    let codes = PathTable(seeds: 0..<2000, in: Self.space)
    let determined = codes.rows.map { codes.step(0, of: $0) * 4 + codes.step(1, of: $0) }
    var generator = MersenneTwister(seed: 1)
    let random = codes.rows.map { _ in generator.below(16) }
    let strengths = [determined, random].map { labels in
      LabelTree(codes, rows: codes.rows, labelOfRow: labels, labels: 16)
        .bestStrength(codes, rows: codes.rows, labelOfRow: labels)
    }
    #expect(strengths[0] <= 0.1 && strengths[1] == LabelTree.strengths.last)
  }

  @Test("an experiment reads determined labels right, and repeats") func experiment() throws {
    func images(_ seeds: Range<UInt64>) throws -> LabelExperiment.Images {
      let codes = PathTable(seeds: seeds, in: Self.space)
      let labels = codes.rows.map { codes.step(0, of: $0) }
      let pixels = codes.rows.flatMap { [UInt8(60 * codes.step(0, of: $0)), UInt8(codes.step(1, of: $0))] }
      return .init(codes: codes, labels: labels, decoded: try Tensor(pixels, shape: [codes.count, 2]))
    }
    let experiment = LabelExperiment(training: try images(0..<300), tests: try images(300..<400), draws: 3)
    for rule in LabelExperiment.Rule.allCases {
      #expect(try experiment.accuracy(labelled: 300, rule: rule).values == [1], "\(rule)")
      let few = try experiment.accuracy(labelled: 2, rule: rule)
      #expect(few.values.count == 3 && few.mean < 0.9 && few.deviation != nil, "\(rule)")
      #expect(try few == experiment.accuracy(labelled: 2, rule: rule))
    }
    #expect(throws: JobStopped.self) { try experiment.accuracy(labelled: 2, rule: .votes) { false } }
    let rows = LabelExperiment.rows(50, of: 60, seed: 1)
    #expect(
      Set(rows).count == 50 && rows.allSatisfy { (0..<60).contains($0) }
        && rows != LabelExperiment.rows(50, of: 60, seed: 2))
  }

  @Test("k-means splits separate clusters, level by level, and its errors are those of its codes") func pixelTree()
    throws
  {
    // Two groups of two points each, far apart.
    let points: [Float] = [0, 0, 0, 1, 10, 0, 10, 1].flatMap { [$0] }
    let images = try Tensor(Array(repeating: points, count: 5).flatMap { $0 }, shape: [20, 2])
    let tree = try PixelTree(CodeSpace(nodes: 2, levels: 3, side: 1), training: images, tests: images.slice(0, 0..<4))
    let codes = tree.training.codes
    let firsts = codes.rows.map { codes.step(0, of: $0) }
    #expect(firsts == (0..<20).map { $0 % 4 < 2 ? firsts[0] : 1 - firsts[0] })
    #expect(abs(tree.tests.errors[0] - 0.125) < 1e-6 && tree.tests.errors[1] == 0 && tree.tests.errors[2] == 0)
    #expect(tree.tests.codes.rows.map { tree.tests.codes.entry($0).code } == (0..<4).map { codes.entry($0).code })
  }
}

extension PathTable {
  fileprivate var rows: Range<Int> { 0..<count }
}
