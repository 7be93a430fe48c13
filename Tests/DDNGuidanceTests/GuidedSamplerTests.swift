import DDN
import DDNData
import DDNModels
import Testing
import Torch

@testable import DDNGuidance

@Suite("Guided sampling")
struct GuidedSamplerTests {
  let network: any DiscreteDistributionNetwork
  let targets: Tensor  // [6, 1, 32, 32]

  init() throws {
    network = try Model(contentsOf: Model.shippedURL("mnist")).network
    targets = try TrainingImages(
      ImageDataset(DigitDataset.shipped(resize: .bilinear)), device: .cpu
    )
    .batch(Array(0..<6)).images
  }

  private var setting: GuideKind.Setting { .init(imageShape: network.imageShape, device: .cpu) }

  private func guide(_ texts: String..., combination: GuideCombination = .ranks) throws -> MixedGuide {
    try MixedGuide(texts, combination: combination, for: setting, levels: network.codeSpace.levels.count)
  }

  private func batch(_ images: Range<Int>) throws -> GuideBatch {
    GuideBatch(
      targets: try targets.slice(0, images), targetNumbers: Array(images), seeds: images.map { UInt64($0 + 70) })
  }

  @Test("one path is the run that a chooser makes, level by level") func chooser() throws {
    let batch = try batch(0..<6)
    for top in [1, 2, 7] {
      let samples = try GuidedSampler(network, guide: guide("mask:left"), top: .nodes(top))(batch, keepsLevels: true)
      let scores = try guide("mask:left").guides(for: batch)[0]
      let draws = try SeededDraws(seeds: batch.seeds, levels: 10, device: .cpu)
      let outputs = try network.outputs(samples: 6, chooser: TopChooser(scores, count: top, draws: draws))
      #expect(try samples.codes == outputs.latentCodes(in: network.codeSpace))
      #expect(try samples.images.array(Float.self) == outputs.last!.imagesPerSample().array())
      #expect(samples.levels.count == 10)
      #expect(try samples.levels[4].array(Float.self) == outputs[4].imagesPerSample().array())
    }
  }

  @Test("given choices are kept, every level is seen, and the guide chooses the rest") func startingWith() throws {
    let batch = try batch(0..<3)
    let prefix = try LatentCode([7, 3], in: network.codeSpace)
    var seen: [LevelOutput] = []
    let sampler = try GuidedSampler(network, guide: guide("mask:left"), top: .best, startingWith: prefix)
    let samples = try sampler(batch, keepsLevels: true) { seen.append($0) }
    let first = try [prefix, prefix, prefix].tensors(on: .cpu)
    let chooser = GivenChooser(first, then: BestChooser(try guide("mask:left").guides(for: batch)[0]))
    let outputs = try network.outputs(samples: 3, chooser: chooser)
    #expect(try samples.codes == outputs.latentCodes(in: network.codeSpace))
    #expect(samples.codes.allSatisfy { $0.prefix(2) == prefix })
    #expect(seen.map(\.level) == Array(0..<10) && samples.levels.count == 10)
    #expect(try seen[1].imagesPerSample().array(Float.self) == samples.levels[1].array())
    let free = try GuidedSampler(network, guide: guide("mask:left"), top: .best)(batch)
    #expect(free.codes.allSatisfy { $0.prefix(2) != prefix })
    struct Stop: Error {}
    #expect(throws: Stop.self) { _ = try sampler(batch) { _ in throw Stop() } }
  }

  @Test(
    "a seed gives the same image in any batch",
    arguments: [
      (["sr:4"], 1, 1), (["noise:0.5"], 4, 1), (["mask:top", "sr:8,weight=2"], 3, 2), (["l1,from=4,until=7"], 2, 1),
    ])
  func batches(texts: [String], beams: Int, attempts: Int) throws {
    let mix = try MixedGuide(texts, for: setting, levels: 10)
    let sampler = GuidedSampler(network, guide: mix, top: .nodes(3), beams: beams, attempts: attempts)
    let all = try sampler(batch(0..<6))
    let parts = try [0..<1, 1..<3, 3..<6].map { try sampler(batch($0)) }
    #expect(parts.flatMap(\.codes) == all.codes)
    #expect(Set(all.codes).count == 6)
  }

  @Test("more paths and more attempts fit better") func search() throws {
    let batch = try batch(0..<6)
    func error(beams: Int, attempts: Int, top: Int) throws -> Double {
      let sampler = GuidedSampler(
        network, guide: try guide("sr:4"), top: .nodes(top), beams: beams, attempts: attempts)
      let samples = try sampler(batch)
      let measurement = try LowResolutionMeasurement(targets, height: 8, width: 8)
      let errors = try measurement.grayLevelErrors(of: samples.images).array(Double.self)
      // The reported score is that of the image.
      for (error, score) in zip(errors, samples.scores[0]) {
        #expect(abs(error - (-score).squareRoot() * 127.5) < 0.05)
      }
      return errors.reduce(0, +) / 6
    }
    let greedy = try error(beams: 1, attempts: 1, top: 1)
    #expect(try error(beams: 8, attempts: 1, top: 1) < greedy * 0.97)
    #expect(try error(beams: 1, attempts: 6, top: 2) < error(beams: 1, attempts: 1, top: 2) * 0.97)
  }

  @Test("a beam keeps one candidate of each group of the top count") func groups() throws {
    // At the first level the six best of K, two at a time: of each pair one.
    let mix = try MixedGuide(["l2,until=1"], for: setting, levels: 10)
    var run = try network.begin(samples: 1, condition: .none)
    let batch = try batch(0..<1)
    let scores = try mix.guides(for: batch)[0].scores(of: run.candidates()).array(Double.self)
    let ranked = scores.indices.sorted { scores[$0] > scores[$1] }
    let first = try GuidedSampler(network, guide: mix, top: .nodes(2), beams: 3)(batch).codes[0].choices[0]
    // All three go on, as no guide scores later; the first, from the best pair, is returned.
    #expect(ranked.prefix(2).contains(first))
  }

  @Test("a guide decides only at its levels") func levels() throws {
    let batch = try batch(0..<4)
    let full = try GuidedSampler(network, guide: guide("l2"))(batch)
    let early = try GuidedSampler(network, guide: guide("l2,until=3"))(batch)
    for (code, other) in zip(full.codes, early.codes) {
      #expect(code.choices.prefix(3) == other.choices.prefix(3))
      #expect(code.choices.suffix(7) != other.choices.suffix(7))
    }
    // Later levels are random: by the seed alone.
    let late = try GuidedSampler(network, guide: guide("l2,from=10"))(batch)
    let random = batch.seeds.map { LatentCode(seed: $0, in: network.codeSpace) }
    #expect(late.codes.map { Array($0.choices.prefix(9)) } == random.map { Array($0.choices.prefix(9)) })
  }

  @Test("weights decide between guides that disagree", arguments: GuideCombination.allCases)
  func weights(combination: GuideCombination) throws {
    let batch = try batch(0..<6)
    func topError(_ top: Double, _ bottom: Double) throws -> Double {
      // The bottom's target is another image.
      let reversed = try targets.gathered(Tensor([5, 4, 3, 2, 1, 0], shape: [6]))
      let mixed = try Tensor.concatenate([targets.slice(2, 0..<16), reversed.slice(2, 16..<32)], dimension: 2)
      let mix = try guide("mask:top,weight=\(top)", "mask:bottom,weight=\(bottom)", combination: combination)
      let samples = try GuidedSampler(network, guide: mix, top: .best)(
        GuideBatch(targets: mixed, targetNumbers: batch.targetNumbers, seeds: batch.seeds))
      return try (samples.images.slice(2, 0..<16) - mixed.slice(2, 0..<16)).squared().mean().item()
    }
    #expect(try topError(9, 1) < topError(1, 9) * 0.9)
  }

  @Test("a mask hides what a guide does not look at") func masks() throws {
    let batch = try batch(0..<6)
    let masked = try GuidedSampler(network, guide: guide("l2,mask=top"), top: .best)(batch)
    let direct = try GuidedSampler(network, guide: guide("mask:top"), top: .best)(batch)
    #expect(masked.codes == direct.codes)
    let absolute = try GuidedSampler(network, guide: guide("l1,mask=top"), top: .best)(batch)
    func error(_ samples: GuidedSampler.Samples, _ rows: Range<Int>) throws -> Double {
      try (samples.images.slice(2, rows) - batch.targets!.slice(2, rows)).absolute().mean().item()
    }
    let other = try GuidedSampler(network, guide: guide("l1,mask=bottom"), top: .best)(batch)
    #expect(try error(absolute, 0..<16) < error(other, 0..<16))
    #expect(try error(absolute, 16..<32) > error(other, 16..<32))
  }

  @Test("a score that is NaN is an error with the guide's name and level") func notANumber() throws {
    let batch = try batch(0..<1)
    let broken = GuideBatch(
      targets: try batch.targets! * Double.nan, targetNumbers: [0], seeds: [0])
    let error = #expect(throws: GuideError.self) { try GuidedSampler(network, guide: guide("sr:4"))(broken) }
    #expect(error?.description.contains("--guide sr:4: a score at level 1 is NaN") == true)
  }

  @Test("a guide without its target is an error") func targetless() throws {
    let batch = GuideBatch(targets: nil, targetNumbers: [0], seeds: [0])
    #expect(throws: GuideError.self) { try GuidedSampler(network, guide: guide("sr:4"))(batch) }
  }
}
