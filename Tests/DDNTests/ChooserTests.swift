import DDN
import GoldenSupport
import Testing
import Torch

@Suite("Choosers")
struct ChooserTests {
  static let nodes = 8

  /// A chooser's choices for `samples` images at a level of 8 nodes of 2x2 images; deterministic.
  static func choose(_ chooser: any Chooser, samples: Int, level: Int = 0) throws -> LevelOutput {
    let generator = try Generator(seed: 11)
    let layer = try DiscreteDistributionLayer(
      .init(nodes: nodes, imageChannels: 1, featureChannels: 4), generator: generator)
    let features = try Tensor.normal([1, 4, 2, 2], generator: generator)
    return try layer(
      level: level, features: features, previous: nil, paths: SharedPaths(samples: samples, device: .cpu),
      chooser: chooser)
  }

  static func codes(_ chooser: any Chooser, samples: Int, level: Int = 0) throws -> [Int] {
    try choose(chooser, samples: samples, level: level).codes.array()
  }

  static func nearest(samples: Int) throws -> NearestChooser {
    NearestChooser(Target(try .normal([samples, 1, 2, 2], generator: Generator(seed: 12))))
  }

  /// Pearson's chi-squared statistic against uniform use; with 7 degrees of freedom above 24.3 with p = 0.001.
  static func unevenness(_ codes: [Int]) -> Double {
    let expected = Double(codes.count) / Double(nodes)
    return (0..<nodes).reduce(0) { sum, node in
      let difference = Double(codes.filter { $0 == node }.count) - expected
      return sum + difference * difference / expected
    }
  }

  static func random(seeds: Range<UInt64>) throws -> RandomChooser {
    RandomChooser(try SeededDraws(seeds: Array(seeds), levels: 3, device: .cpu))
  }

  @Test("random choices are uniform")
  func uniform() throws {
    let codes = try Self.codes(Self.random(seeds: 0..<8000), samples: 8000)
    #expect(codes.allSatisfy { (0..<Self.nodes).contains($0) })
    #expect(Self.unevenness(codes) < 24.3)
  }

  @Test("a seed's random choices are its code, for any batch size", arguments: [0, 1, 2])
  func reproducible(level: Int) throws {
    let all = try Self.codes(Self.random(seeds: 0..<50), samples: 50, level: level)
    #expect(try Self.codes(Self.random(seeds: 30..<40), samples: 10, level: level) == Array(all[30..<40]))
    let space = CodeSpace(nodes: Self.nodes, levels: 3, side: 2)
    #expect(all == (0..<50).map { LatentCode(seed: $0, in: space).choices[level] })
  }

  @Test("the nearest chooser chooses the nearest node and returns all distances")
  func nearest() throws {
    let output = try Self.choose(Self.nearest(samples: 20), samples: 20)
    let distances = try #require(output.distances)
    #expect(distances.shape == [20, Self.nodes])
    #expect(try output.codes.array(Int.self) == distances.argmin(1).array())
    #expect(Set(try output.codes.array(Int.self)).count > 1)
  }

  @Test("given codes are chosen first, then the next chooser's")
  func prefix() throws {
    let given = [[3, 1, 4], [1, 5, 2]]
    let nearest = try Self.nearest(samples: 3)
    let chooser = GivenChooser(try given.map { try Tensor($0, shape: [3]) }, then: nearest)
    #expect(try Self.codes(chooser, samples: 3, level: 0) == given[0])
    #expect(try Self.codes(chooser, samples: 3, level: 1) == given[1])
    #expect(try Self.codes(chooser, samples: 3, level: 2) == Self.codes(nearest, samples: 3))
    #expect(try Self.choose(chooser, samples: 3, level: 1).distances == nil)
    #expect(try Self.choose(chooser, samples: 3, level: 2).distances != nil)
  }

  @Test("chain dropout with probability 0 changes nothing and draws nothing", arguments: ChainDropout.Scope.allCases)
  func noDropout(scope: ChainDropout.Scope) throws {
    let generator = try Generator(seed: 1)
    let before = try generator.state().bytes()
    let nearest = try Self.nearest(samples: 100)
    let chooser = ChainDropout(nearest, probabilities: [0], scope: scope, generator: generator)
    #expect(try Self.codes(chooser, samples: 100) == Self.codes(nearest, samples: 100))
    #expect(try generator.state().bytes() == before)
  }

  @Test(
    "chain dropout with probability 1 is random, with the distances",
    arguments: ChainDropout.Scope.allCases)
  func fullDropout(scope: ChainDropout.Scope) throws {
    let given = GivenChooser([try Tensor([Int](repeating: 2, count: 8000), shape: [8000])])
    let chooser = ChainDropout(given, probabilities: [1], scope: scope, generator: try Generator(seed: 1))
    #expect(try Self.unevenness(Self.codes(chooser, samples: 8000)) < 24.3)

    let nearest = try Self.nearest(samples: 20)
    let dropped = ChainDropout(nearest, probabilities: [1], scope: scope, generator: try Generator(seed: 1))
    let expected = try #require(try Self.choose(nearest, samples: 20).distances)
    let distances = try #require(try Self.choose(dropped, samples: 20).distances)
    #expect(try distances.array(Float.self) == expected.array())
  }

  @Test("per sample, chain dropout replaces a fraction of every batch")
  func dropoutBySample() throws {
    let given = GivenChooser([try Tensor([Int](repeating: 2, count: 8000), shape: [8000])])
    let chooser = ChainDropout(given, probabilities: [0.25], scope: .sample, generator: try Generator(seed: 1))
    let changed = try Self.codes(chooser, samples: 8000).filter { $0 != 2 }.count
    // A replaced code is unchanged with probability 1/8; four standard deviations of 8000 draws are 150.
    #expect(abs(changed - 8000 / 4 * 7 / 8) < 150)
  }

  @Test("every level has its probability of chain dropout, further ones the last")
  func dropoutByLevel() throws {
    let given = GivenChooser(try (0..<5).map { _ in try Tensor([Int](repeating: 2, count: 4000), shape: [4000]) })
    let chooser = ChainDropout(
      given, probabilities: [0, 1, 0.25], scope: .sample, generator: try Generator(seed: 1))
    for (level, share) in [0, 1, 0.25, 0.25].enumerated() {
      let codes = try Self.choose(chooser, samples: 4000, level: level).codes.array(Int.self)
      #expect(abs(Double(codes.filter { $0 != 2 }.count) / 4000 - share * 7 / 8) < 0.03, "level \(level)")
    }
  }

  @Test("per batch, chain dropout replaces all codes of a fraction of the batches")
  func dropoutByBatch() throws {
    let given = GivenChooser([try Tensor([Int](repeating: 2, count: 100), shape: [100])])
    let chooser = ChainDropout(given, probabilities: [0.25], scope: .batch, generator: try Generator(seed: 1))
    let changed = try (0..<400).map { _ in try Self.codes(chooser, samples: 100).filter { $0 != 2 }.count }
    #expect(changed.allSatisfy { $0 == 0 || $0 > 60 })
    #expect(abs(changed.filter { $0 > 0 }.count - 100) < 35)
  }

  @Test("a target is resized once per size, and not at its own size")
  func resizing() throws {
    let target = Target(try .normal([2, 3, 8, 8], generator: Generator(seed: 1)))
    #expect(try target.sized(height: 8, width: 8) === target.images)
    let small = try target.sized(height: 4, width: 4)
    #expect(small.shape == [2, 3, 4, 4])
    #expect(try target.sized(height: 4, width: 4) === small)
  }
}
