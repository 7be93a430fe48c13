import DDN
import Testing
import Torch

/// Prefers bright images.
private struct BrightnessGuide: Guide {
  func scores(of candidates: Candidates) throws -> Tensor {
    try candidates.paths.perSample(candidates.images().mean([2, 3, 4]))  // [R, K] -> [B, K]
  }
}

@Suite("Guides")
struct GuideTests {
  /// `[B, K, C, H, W]`, every image of a single shade.
  static func candidates(_ shades: [[Float]]) throws -> Candidates {
    try Candidates(
      images: Tensor(shades.flatMap { $0 }, shape: [shades.count, shades[0].count, 1, 1, 1])
        .expanded([shades.count, shades[0].count, 3, 2, 2]))
  }

  @Test("candidates from images have these images, all or a range, and their distances")
  func images() throws {
    let images = try Tensor.normal([2, 5, 3, 4, 4], generator: Generator(seed: 1))
    let candidates = try Candidates(images: images)
    #expect(candidates.nodes == 5 && candidates.samples == 2)
    #expect(try candidates.images().array(Float.self) == images.array())
    #expect(try candidates.images(of: 1..<3).array(Float.self) == images.slice(1, 1..<3).array())
    let target = Target(try .normal([2, 3, 4, 4], generator: Generator(seed: 2)))
    let expected = try (images - target.images.reshaped([2, 1, 3, 4, 4])).squared().mean([2, 3, 4])
    #expect(try (candidates.distances(to: target) - expected).absolute().array(Float.self).max()! < 1e-5)
  }

  @Test("the best chooser chooses the highest score, the lowest index among equals")
  func best() throws {
    let candidates = try Self.candidates([[0, 0.5, -1, 0.5], [0.25, 0, 0.125, -1]])
    #expect(try BestChooser(BrightnessGuide()).choose(from: candidates).codes.array(Int.self) == [1, 0])
  }

  @Test("the top chooser chooses the best k equally often, by seed and for any batch size")
  func top() throws {
    let shades: [Float] = [0.1, 0.9, 0.3, 0.8, 0.2, 0.7]
    func codes(_ seeds: Range<UInt64>, count: Int) throws -> [Int] {
      let draws = try SeededDraws(seeds: Array(seeds), levels: 1, device: .cpu)
      return try TopChooser(BrightnessGuide(), count: count, draws: draws)
        .choose(from: Self.candidates(seeds.map { _ in shades })).codes.array()
    }
    let all = try codes(0..<3000, count: 3)
    #expect(Set(all) == [1, 3, 5])
    for node in [1, 3, 5] { #expect(abs(all.count { $0 == node } - 1000) < 120) }
    #expect(try codes(100..<110, count: 3) == Array(all[100..<110]))
    #expect(try Set(codes(0..<200, count: 1)) == [1])
    #expect(try Set(codes(0..<500, count: 99)) == Set(0..<6))
  }

  @Test("the nearest chooser as a guide makes the same choice")
  func nearest() throws {
    let candidates = try Candidates(images: .normal([20, 8, 1, 4, 4], generator: Generator(seed: 3)))
    let nearest = NearestChooser(Target(try .normal([20, 1, 4, 4], generator: Generator(seed: 4))))
    let best = try BestChooser(nearest).choose(from: candidates).codes.array(Int.self)
    #expect(try best == nearest.choose(from: candidates).codes.array())
    #expect(Set(best).count > 1)
  }

  @Test("a guide follows a network through its levels")
  func guided() throws {
    let network = try RecurrentNetwork(.init(baseWidth: 4, nodes: 8, repeats: 3), generator: Generator(seed: 1))
    let guided = try network.run(samples: 1, chooser: BestChooser(BrightnessGuide()))
    let draws = try SeededDraws(seeds: Array(0..<20), levels: 3, device: .cpu)
    let random = try network.run(samples: 20, chooser: RandomChooser(draws))
    let brightness = try guided.images.mean().item()
    #expect(try random.imagesPerSample().mean([1, 2, 3]).array(Double.self).allSatisfy { $0 <= brightness })
  }
}
