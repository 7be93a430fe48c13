import DDN
import DDNModels
import Testing
import Torch

@Suite("Code search") struct CodeSearchTests {
  private let network: any DiscreteDistributionNetwork
  /// Halves of different images, and noise: no code fits them.
  private let targets: Tensor

  init() throws {
    let network = try Model(contentsOf: Model.shippedURL("mnist-k8-l3")).network
    self.network = network
    let (upper, lower) = (try Self.images(of: 0..<24, network), try Self.images(of: 24..<48, network))
    let noise = try Tensor.normal([24, 1, 32, 32], generator: Generator(seed: 5)) * 0.3
    targets = try .concatenate([upper.slice(2, 0..<16), lower.slice(2, 16..<32)], dimension: 2) + noise
  }

  private static func images(of seeds: Range<UInt64>, _ network: any DiscreteDistributionNetwork) throws -> Tensor {
    try network.decode(seeds.map { LatentCode(seed: $0, in: network.codeSpace) })
  }

  private func search(_ beams: Int, _ change: (inout CodeSearch) -> Void = { _ in }) throws -> Reconstruction {
    var search = CodeSearch()
    search.beams = beams
    change(&search)
    return try search(targets, by: network)
  }

  @Test("as many paths as the tree has leaves find the best code of all")
  func exhaustive() throws {
    let found = try search(64)
    var best = Array(repeating: Double.infinity, count: 24)
    for first in 0..<64 {
      let codes = try (0..<8).map { try LatentCode([first / 8, first % 8, $0], in: network.codeSpace) }
      let images = try network.decode(codes)
      for image in 0..<24 {
        let errors = try (images - targets.slice(0, image..<image + 1)).squared().mean([1, 2, 3]).array(Double.self)
        best[image] = min(best[image], errors.min()!)
      }
    }
    for (error, least) in zip(found.errors[2], best) { #expect(abs(error - least) < 1e-5) }
  }

  @Test("the errors and images are those of the codes", arguments: [1, 2, 5])
  func consistency(beams: Int) throws {
    let found = try search(beams)
    #expect(found.levels.count == 3 && found.errors.count == 3)
    for level in 0..<3 {
      let decoded = try network.decode(found.codes.map { $0.prefix(level + 1) })
      #expect(try (decoded - found.levels[level]).absolute().array(Float.self).max()! < 1e-4)
      let errors = try (decoded - targets).squared().mean([1, 2, 3]).array(Double.self)
      #expect(zip(errors, found.errors[level]).allSatisfy { abs($0 - $1) < 1e-4 })
    }
  }

  @Test("an image's code is that of a search for it alone, however many are searched for at once")
  func parts() throws {
    var search = CodeSearch()
    search.beams = 20  // 24 images are searched for in two parts.
    let together = try search(targets, by: network)
    for image in 0..<24 {
      let alone = try search(targets.slice(0, image..<image + 1), by: network)
      #expect(together.codes[image] == alone.codes[0])
      #expect(zip(together.errors, alone.errors).allSatisfy { abs($0[image] - $1[0]) < 1e-6 })
      for (all, one) in zip(together.levels, alone.levels) {
        #expect(try all.slice(0, image..<image + 1).bytes() == one.bytes())
      }
    }
  }

  @Test("an equal weight changes nothing, and a weight of one half finds the best of that half")
  func weight() throws {
    let all = try Tensor.full([1, 1, 32, 32], 0.25)
    #expect(try search(1) { $0.weight = all }.codes == search(1).codes)
    #expect(try search(4) { $0.weight = all }.codes == search(4).codes)
    let top = try Tensor.concatenate([Tensor.full([1, 1, 16, 32], 1), .zeros([1, 1, 16, 32])], dimension: 2)
    func topError(_ result: Reconstruction) throws -> Double {
      try (result.levels[2] - targets).slice(2, 0..<16).squared().mean().item()
    }
    #expect(try topError(search(64) { $0.weight = top }) < topError(search(64)))
  }

  @Test("a free bit changes nothing, and dear bits lead to the likely code")
  func price() throws {
    let prior = FirstNodePrior(space: network.codeSpace)
    let free = try search(3) { $0.price = .init(prior: prior, lambda: 0) }
    #expect(try free.codes == search(3).codes)
    let dear = try search(3) { $0.price = .init(prior: prior, lambda: 1000) }
    #expect(dear.codes.allSatisfy { $0.choices == [0, 0, 0] })
    let fair = try search(64) { $0.price = .init(prior: prior, lambda: 0.001) }
    func cost(_ result: Reconstruction) -> Double {
      zip(result.codes, result.errors[2]).reduce(0) { sum, item in
        sum + item.1 + 0.001 * item.0.choices.reduce(0) { $0 + ($1 == 0 ? 0 : 20) }
      }
    }
    #expect(cost(fair) < cost(free) && cost(fair) < cost(dear))
  }

  @Test("a search of fewer levels ends with the first levels of the greedy code")
  func levels() throws {
    let found = try search(1) { $0.levels = 2 }
    #expect(try found.codes == search(1).codes.map { $0.prefix(2) } && found.levels.count == 2)
  }
}

/// Expects the first node at every level.
private struct FirstNodePrior: CodePrior {
  let space: CodeSpace
  let classes = 0
  let fingerprint: UInt64 = 1

  func begin(count: Int, classes: [Int]?) -> any CodePrediction { Prediction(count: count) }

  private struct Prediction: CodePrediction {
    var count: Int

    func frequencies() -> [UInt32] { (0..<count).flatMap { _ in [1 << 20, 1, 1, 1, 1, 1, 1, 1] } }
    func advance(_ choices: [Int]) {}
    mutating func select(_ parents: [Int]) { count = parents.count }
  }
}
