import DDN
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNCodes

/// Weights by the formula of `Tests/Golden/prior/generate.py`.
enum FormulaPrior {
  static let space = CodeSpace([
    .init(nodes: 3, side: 1), .init(nodes: 64, side: 4), .init(nodes: 5, side: 8), .init(nodes: 5, side: 8),
  ])
  static let shape = PriorShape(space: space, classes: 3, width: 700, hidden: 500)
  private static let bounds = [
    "initial": (0, 127), "embeddings": (1, 60), "hidden.weight": (2, 15), "hidden.bias": (3, 5000),
    "heads.weight": (4, 40), "heads.bias": (5, 9000),
  ]

  static func integers() -> [String: [Int32]] {
    shape.tensors.reduce(into: [:]) { integers, tensor in
      let (number, bound) = bounds[tensor.key]!
      var state = 12345 + UInt64(number)
      integers[tensor.key] = (0..<tensor.value.shape.reduce(1, *)).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int32(state >> 33) % Int32(2 * bound + 1) - Int32(bound)
      }
    }
  }

  static func make() throws -> IntegerPrior {
    try IntegerPrior(space: space, shape: shape, integers: integers(), modelFingerprint: 7, training: nil)
  }

  static func choices(of code: Int) -> [Int] {
    shape.nodes.enumerated().map { (code * 31 + $0 * 17 + code * $0) % $1 }
  }

  /// The frequencies of codes by position, predicted in one batch: `[codes][choices][K]`.
  static func frequencies(of codes: [Int], by prior: IntegerPrior) throws -> [[[UInt32]]] {
    var found = [[[UInt32]]](repeating: [], count: codes.count)
    var prediction = try prior.begin(count: codes.count, classes: codes.map { $0 % shape.classes })
    for (position, nodes) in shape.nodes.enumerated() {
      let all = try prediction.frequencies()
      for row in codes.indices { found[row].append(Array(all[row * nodes..<(row + 1) * nodes])) }
      try prediction.advance(codes.map { choices(of: $0)[position] })
    }
    return found
  }
}

@Suite("Prior golden numbers", .serialized) struct PriorGoldenTests {
  private static func golden() throws -> [[[UInt32]]] {
    try JSONDecoder().decode([[[UInt32]]].self, from: Data(contentsOf: Golden.url("prior/frequencies.json")))
  }

  @Test("frequencies equal those of Python's integers, with any number of threads", arguments: [1, 2, 4])
  func golden(threads: Int) throws {
    let before = LibTorch.threadCount
    try LibTorch.setThreadCount(threads)
    defer { try? LibTorch.setThreadCount(before) }
    let golden = try Self.golden()
    #expect(golden.count == 5 && Set(golden.joined().joined()).count > 100)
    #expect(try FormulaPrior.frequencies(of: [0, 1, 2, 3, 4], by: FormulaPrior.make()) == golden)
  }

  @Test("a code has the same frequencies alone and in batches of 64 and 1000") func batches() throws {
    let (prior, golden) = (try FormulaPrior.make(), try Self.golden())
    for count in [1, 64, 1000] {
      let codes = (0..<count).map { $0 % 5 }
      #expect(try FormulaPrior.frequencies(of: codes, by: prior) == codes.map { golden[$0] }, "batch of \(count)")
    }
  }

  @Test("selecting continues the chosen codes") func selecting() throws {
    var prediction = try FormulaPrior.make().begin(count: 3, classes: [0, 1, 2])
    try prediction.advance((0..<3).map { FormulaPrior.choices(of: $0)[0] })
    try prediction.select([2, 0, 0, 1])
    let golden = try Self.golden()
    #expect(try prediction.frequencies() == [2, 0, 0, 1].flatMap { golden[$0][1] })
  }

  @Test("the largest possible sums are exact") func largest() throws {
    let space = CodeSpace(nodes: 2, levels: 1, side: 1)
    let shape = PriorShape(space: space, classes: 0, width: 1000, hidden: 1000)
    var integers = shape.tensors.mapValues { [Int32](repeating: 127, count: $0.shape.reduce(1, *)) }
    integers["hidden.bias"] = [Int32](repeating: 0, count: 1000)
    // Two logits of 127 * 127 * 1000, one of them a little larger: steps of 1/32 bit are 256 units.
    for (difference, expected) in [(127, 16_777_216), (128, 16_417_714), (383, 16_417_714), (384, 16_065_917)] {
      integers["heads.bias"] = [Int32(difference), 0]
      let prior = try IntegerPrior(
        space: space, shape: shape, integers: integers, modelFingerprint: 0, training: nil)
      var prediction = try prior.begin(count: 1, classes: nil)
      #expect(try prediction.frequencies() == [16_777_216, UInt32(expected)], "\(difference)")
    }
  }

  @Test("weights whose sums may not be exact are refused") func bounds() throws {
    for (name, value) in [("hidden.bias", Int32(1) << 24), ("heads.bias", -(1 << 24))] {
      var integers = FormulaPrior.integers()
      integers[name]![0] = value
      let error = #expect(throws: PriorError.self) {
        try IntegerPrior(
          space: FormulaPrior.space, shape: FormulaPrior.shape, integers: integers, modelFingerprint: 0, training: nil)
      }
      #expect(error?.description.contains("may reach") == true)
    }
  }
}
