import GoldenSupport
import Testing
import Torch

@testable import DDN

@Suite("Shared paths")
struct SharedPathsTests {
  static let samples = 14
  static let classes = [3, 3, 0, 7, 3, 0, 0, 7, 3, 3, 7, 0, 3, 9]

  static func network() throws -> RecurrentNetwork {
    try RecurrentNetwork(.init(baseWidth: 4, nodes: 4, repeats: 3), generator: Generator(seed: 8))
  }

  /// Seven different images, each twice.
  static func targets() throws -> Tensor {
    let images = try Tensor.normal([samples / 2, 1, 32, 32], generator: Generator(seed: 9))
    return try .concatenate([images, images])
  }

  static func classNumbers(_ isConditional: Bool) throws -> Tensor? {
    isConditional ? try Tensor(classes, shape: [samples]) : nil
  }

  @Test("an image's output does not depend on its batch", arguments: [false, true])
  func alone(isConditional: Bool) throws {
    let (network, targets) = (try Self.network(), try Self.targets())
    let numbers = try Self.classNumbers(isConditional)
    let together = try network.outputs(
      samples: Self.samples, condition: Condition(classes: numbers), chooser: NearestChooser(Target(targets)))
    for sample in 0..<Self.samples {
      let range = sample..<sample + 1
      let alone = try network.outputs(
        samples: 1, condition: Condition(classes: numbers?.slice(0, range)),
        chooser: NearestChooser(Target(targets.slice(0, range))))
      for (batch, single) in zip(together, alone) {
        let comment: Comment = "image \(sample), level \(batch.level)"
        #expect(try batch.codes.array(Int.self)[sample] == single.codes.array(Int.self)[0], comment)
        let image = try batch.imagesPerSample().slice(0, range)
        #expect(try deviation(of: image, from: single.imagesPerSample()) <= 1e-5, comment)
      }
    }
    #expect(Set(try together.latentCodes(in: network.codeSpace)).count > 2)
  }

  /// Padding adds less than half; near one row per image every image gets a separate row.
  @Test("there are few more rows than distinct paths, and at most as many as images", arguments: [1, 2, 14, 70])
  func rows(samples: Int) throws {
    let network = try Self.network()
    for isConditional in [false, true] {
      let classes = isConditional ? try Tensor((0..<samples).map { $0 % 10 }, shape: [samples]) : nil
      var possible = isConditional ? min(10, samples) : 1
      let draws = try SeededDraws(seeds: (0..<samples).map { UInt64($0) }, levels: 10, device: .cpu)
      let outputs = try network.outputs(
        samples: samples, condition: Condition(classes: classes), chooser: RandomChooser(draws))
      for output in outputs {
        possible *= 4
        let rows = try output.images.shape[0]
        #expect(rows == output.paths.rows && rows <= samples)
        let distinct = Set(try output.paths.perSample(.range(0..<rows)).array(Int.self)).count
        if output.paths.rowOfSample != nil { #expect(distinct <= possible && 2 * rows < 3 * distinct) }
        #expect(output.paths.rowOfSample != nil || 10 * 3 * possible > 2 * 9 * samples)
      }
    }
  }

  @Test("the first level runs on one row, or one per class")
  func firstLevel() throws {
    let network = try Self.network()
    final class RowCounter: Chooser {
      var rows: [Int] = []
      func choose(from candidates: Candidates) throws -> Choice {
        rows.append(candidates.paths.rows)
        return Choice(codes: try .zeros([candidates.samples], dtype: .int64))
      }
    }
    for (isConditional, rows) in [(false, 1), (true, 4)] {
      let counter = RowCounter()
      _ = try network.outputs(
        samples: Self.samples, condition: Condition(classes: Self.classNumbers(isConditional)), chooser: counter)
      #expect(counter.rows == [rows, rows, rows])
    }
  }

  @Test("two images share a row exactly when their codes so far are equal")
  func branching() throws {
    var random = SeededGenerator(seed: 3)
    for samples in [2, 5, 40] {
      var paths = try SharedPaths(samples: samples, device: .cpu)
      var histories = [[Int]](repeating: [], count: samples)
      for _ in 0..<3 {
        let codes = (0..<samples).map { _ in Int.random(in: 0..<3, using: &random) }
        for sample in 0..<samples { histories[sample].append(codes[sample]) }
        let before = try paths.perSample(.range(0..<paths.rows)).array(Int.self)
        let branching = try paths.branching(at: Tensor(codes, shape: [samples]), nodes: 3)
        paths = branching.paths
        let rows = try paths.perSample(.range(0..<paths.rows)).array(Int.self)
        let parents = try branching.parentOfRow?.array(Int.self) ?? Array(0..<paths.rows)
        let chosen = try branching.codeOfRow.array(Int.self)
        for sample in 0..<samples {
          #expect(chosen[rows[sample]] == codes[sample] && parents[rows[sample]] == before[sample])
          for other in 0..<sample where rows[other] == rows[sample] { #expect(histories[other] == histories[sample]) }
        }
        let isSeparate = paths.rowOfSample == nil
        #expect(isSeparate || Set(histories).count == Set(rows).count)
      }
    }
  }

  /// The implementation for CUDA devices, where counting distinct paths would synchronize.
  @Test("with rows for all possible paths every image has its parent and code")
  func allPaths() throws {
    let (samples, nodes) = (100, 4)
    var paths = try SharedPaths(samples: samples, device: .cpu)
    for level in 0..<4 {
      let codes = try Tensor.integers(in: 0..<nodes, [samples], generator: Generator(seed: UInt64(level)))
      let parents = try paths.perSample(.range(0..<paths.rows)).array(Int.self)
      guard let rowOfSample = paths.rowOfSample else { break }
      let branching = try paths.branchingToAll(codes, rowOfSample, nodes: nodes)
      let parentOfRow = try #require(branching.parentOfRow)
      #expect(try branching.paths.perSample(parentOfRow).array(Int.self) == parents, "level \(level)")
      #expect(try branching.paths.perSample(branching.codeOfRow).array(Int.self) == codes.array(Int.self))
      #expect(branching.paths.rows == [4, 16, 64, 100][level])
      paths = branching.paths
    }
    #expect(paths.rowOfSample == nil)
  }
}
