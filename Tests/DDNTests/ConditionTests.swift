import Testing
import Torch

@testable import DDN

@Suite("Conditions") struct ConditionTests {
  private static func features(_ kind: ConditionKind, _ condition: Condition) throws -> Tensor {
    let sources = condition.sources!
    return try ConditionFeatures.begin(
      [kind], of: condition, samples: sources.shape[0], imageShape: Array(sources.shape[1...]), device: .cpu
    ).features.parts[0]
  }

  private static func images(_ channels: Int) throws -> Tensor {
    try Tensor.uniform([2, channels, 8, 8], generator: Generator(seed: 1)) * 2 - 1
  }

  @Test("in training the gray weights are random and sum to 1")
  func randomGray() throws {
    let randomness = try Generator(seed: 2)
    let colours = try Tensor([1, 0, 0, 0, 1, 0, 0, 0, 1] as [Float], shape: [3, 3, 1, 1])  // Red, green, blue.
    var seen: [[Double]] = []
    for _ in 0..<3 {
      let weights = try Self.features(.gray, Condition(sources: colours, randomness: randomness)).array(Double.self)
      #expect(abs(weights.reduce(0, +) - 1) < 1e-6 && weights.allSatisfy { $0 >= 0 })
      seen.append(weights)
    }
    #expect(seen[0] != seen[1] && seen[1] != seen[2])
    #expect(try Self.features(.gray, Condition(sources: colours)).array(Float.self) == [1, 1, 1].map { $0 / 3 })
  }

  @Test("a gray image's gray version is itself, also in training")
  func grayOfGray() throws {
    let images = try Self.images(1)
    for randomness in [nil, try Generator(seed: 2)] {
      let features = try Self.features(.gray, Condition(sources: images, randomness: randomness))
      #expect(try features.array(Float.self) == images.array(Float.self))
    }
  }

  @Test("in training the edge threshold is random in 0.5...1")
  func randomEdges() throws {
    // A ramp with a Sobel gradient of 8 times its step, by rows from 0.4 to 1.1.
    func edges(_ slope: Double, _ randomness: Generator?) throws -> [Float] {
      let ramp = try Tensor((0..<64).map { Float(Double($0 % 8) * slope / 8) }, shape: [1, 1, 8, 8])
      return try Self.features(.edges, Condition(sources: ramp, randomness: randomness)).array()
    }
    #expect(try Set(edges(0.7, nil)) == [-1] && Set(edges(0.8, nil)) == [1])
    let randomness = try Generator(seed: 3)
    let draws = try (0..<40).map { _ in try Set(edges(0.75, randomness)) }
    #expect(draws.contains([1]) && draws.contains([-1]))
    for _ in 0..<20 {
      #expect(try Set(edges(0.49, randomness)) == [-1] && Set(edges(1.01, randomness)) == [1])
    }
  }

  @Test("several conditions are concatenated, resized to the level")
  func several() throws {
    let images = try Self.images(3)
    let kinds: [ConditionKind] = [.classNumber(of: 1000), .edges, .lowResolution(side: 2), .gray]
    let classes = try Tensor([999, 0], shape: [2])
    let (paths, features) = try ConditionFeatures.begin(
      kinds, of: Condition(classes: classes, sources: images), samples: 2, imageShape: [3, 8, 8], device: .cpu)
    #expect(paths.rowOfSample == nil && paths.rows == 2 && features.channels == 5 + 1 + 3 + 1)
    let resized = try features.resized(side: 4)
    #expect(resized.shape == [2, 10, 4, 4])
    #expect(
      try resized.slice(1, 9..<10).array(Float.self) == features.parts[3].resizedArea(height: 4, width: 4).array())
    #expect(try resized.slice(1, 0..<5).slice(0, 1..<2).array(Float.self).allSatisfy { $0 == 0 })  // Class 0.
  }

  @Test("images of one class share a row, and no class is class 0")
  func classRows() throws {
    let numbers = [3, 3, 0, 3, 0, 3]
    let classes = try Tensor(numbers, shape: [6])
    let (paths, features) = try ConditionFeatures.begin(
      [.classNumber(of: 10)], of: Condition(classes: classes), samples: 6, imageShape: [3, 8, 8], device: .cpu)
    #expect(paths.rows == 2)
    let rows = try paths.perSample(features.parts[0]).reshaped([6, 2]).array(Float.self)
    let table = PositionalFeatures.classEmbedding(classes: 10)
    let expected = numbers.flatMap { (number: Int) in table[2 * number..<2 * number + 2] }
    #expect(rows == expected)
    let (one, none) = try ConditionFeatures.begin(
      [.classNumber(of: 10)], of: .none, samples: 6, imageShape: [3, 8, 8], device: .cpu)
    #expect(try one.rows == 1 && none.parts[0].array(Float.self) == [0, 0])
  }

  @Test("overlapping additions to channels are summed")
  func channelAdditions() throws {
    let features = try Tensor.normal([2, 6, 2, 2], generator: Generator(seed: 1))
    let (one, two) = (
      try Tensor.normal([2, 4, 2, 2], generator: Generator(seed: 2)),
      try Tensor.normal([2, 3, 2, 2], generator: Generator(seed: 3))
    )
    let sum = try features.adding(ChannelAddition([ChannelAddition(one, at: 0), ChannelAddition(two, at: 3)]))
    func padded(_ tensor: Tensor, _ before: Int, _ after: Int) throws -> Tensor {
      let parts = try [.zeros([2, before, 2, 2]), tensor, .zeros([2, after, 2, 2])]
      return try .concatenate(parts, dimension: 1)
    }
    let expected = try features + padded(one, 0, 2) + padded(two, 3, 0)
    #expect(try sum.array(Float.self) == expected.array(Float.self))
    #expect(try features.adding(nil).array(Float.self) == features.array(Float.self))
  }
}
