import DDN
import Foundation
import Testing

@testable import DDNDensities

@Suite("DensityFit") struct DensityFitTests {
  @Test(
    "with Split-and-Prune, nodes have a lower KL than as many real samples, for every density",
    arguments: [SplitPolicy.Rule.paper, .totalVariation], DistanceMeasure.allCases)
  func betterThanSamples(rule: SplitPolicy.Rule, distance: DistanceMeasure) throws {
    let options = DensityFit.Options(nodes: 1000, distance: distance, split: SplitPolicy(rule: rule), seed: 1)
    let experiment = DensityExperiment(options: options, samples: 40_000)
    for outcome in try experiment.run(on: Density.sequence.map { $0.map(bins: 50) }) {
      #expect(outcome.nodes.divergences.kl < outcome.real.divergences.kl, "\(outcome.map.name)")
      #expect(outcome.splits > 0)
      #expect(outcome.nodes.counts.reduce(0, +) == 1000)
    }
  }

  @Test("without Split-and-Prune, dead nodes remain")
  func withoutSplits() throws {
    let experiment = DensityExperiment(options: .init(nodes: 500), samples: 20_000)
    let outcome = try experiment.run(on: [Density.words.map(bins: 50)])[0]
    #expect(outcome.withoutSplits.divergences.kl > 10 * outcome.nodes.divergences.kl)
  }

  @Test("a seed determines the nodes, for any number of observations")
  func seeds() throws {
    let map = Density.spiral.map(bins: 30)
    func fit(_ seed: UInt64, observations: Int) -> [SIMD2<Float>] {
      var fit = DensityFit(.init(nodes: 200, seed: seed))
      fit.train(on: map, samples: 5000, observations: observations) { _, nodes in _ = nodes() }
      return fit.nodes
    }
    #expect(fit(1, observations: 1) == fit(1, observations: 7))
    #expect(fit(1, observations: 1) != fit(2, observations: 1))
    let experiment = DensityExperiment(options: .init(nodes: 200), samples: 5000, frames: 3)
    let (first, second) = (try experiment.run(on: [map, map]), try experiment.run(on: [map, map]))
    #expect(zip(first, second).allSatisfy { $0.nodes.counts == $1.nodes.counts && $0.real.counts == $1.real.counts })
  }

  @Test("a step moves only nearest nodes, 0.4 of the distance per sample")
  func oneStep() {
    let map = Density.uniform.map(bins: 10)
    var fit = DensityFit(.init(nodes: 50, batch: 8, split: SplitPolicy(rule: .none), seed: 4))
    var expected = fit.nodes
    let before = expected
    var generator = SplitMix64(seed: 4, stream: 1)
    let sampler = DensitySampler(map)
    let samples = (0..<8).map { _ in sampler.draw(&generator) }
    for sample in samples {
      func distance(_ node: SIMD2<Float>) -> Float { ((node - sample) * (node - sample)).sum() }
      let nearest = before.indices.min { distance(before[$0]) < distance(before[$1]) }!
      expected[nearest] += 0.4 * (sample - expected[nearest])
    }
    fit.train(on: map, samples: 8)
    for (node, goal) in zip(fit.nodes, expected) { #expect(abs(node.x - goal.x) + abs(node.y - goal.y) < 1e-6) }
  }

  @Test("any number of nodes stays within the square, also without samples", arguments: [1, 2, 3, 64])
  func fewNodes(nodes: Int) {
    var fit = DensityFit(.init(nodes: nodes, seed: 2))
    let before = fit.nodes
    fit.train(on: Density.gaussian.map(bins: 9), samples: 0)
    #expect(fit.nodes == before)
    fit.train(on: Density.gaussian.map(bins: 9), samples: 1001)
    #expect(fit.nodes.count == nodes && fit.nodes != before)
    #expect(fit.nodes.allSatisfy { abs($0.x) <= 1 && abs($0.y) <= 1 })
  }

  @Test("in a sequence, nodes continue from the previous density unless reset")
  func sequence() throws {
    let maps = [Density.words, .uniform].map { $0.map(bins: 20) }
    let options = DensityFit.Options(nodes: 300)
    let kept = try DensityExperiment(options: options, samples: 6000).run(on: maps)
    let fresh = try DensityExperiment(options: options, samples: 6000, resetsNodes: true).run(on: maps)
    #expect(kept[1].frames[0].nodes.divergences.kl > 1.2 * fresh[1].frames[0].nodes.divergences.kl)
    let alone = try DensityExperiment(options: options, samples: 6000).run(on: [maps[0]])
    #expect(alone[0].nodes.counts == fresh[0].nodes.counts)
  }

  @Test("an error of the progress callback aborts the experiment")
  func stopping() {
    struct Stop: Error {}
    let experiment = DensityExperiment(options: .init(nodes: 100), samples: 1_000_000)
    #expect(throws: Stop.self) { try experiment.run(on: [Density.uniform.map(bins: 10)]) { _ in throw Stop() } }
  }

  @Test("a report has its documented JSON keys")
  func report() throws {
    let experiment = DensityExperiment(options: .init(nodes: 100), samples: 1000, frames: 2)
    let outcomes = try experiment.run(on: [Density.gaussian.map(bins: 5)])
    let json = try JSONEncoder().encode(DensityReport(experiment, outcomes, lines: NodeLine.stages(nodes: 5, seed: 0)))
    let object = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
    let density = try #require((object["densities"] as? [[String: Any]])?.first)
    for key in ["kl", "kl_real", "kl_without", "js", "tv", "hellinger", "samples_per_second"] {
      #expect(density[key] is NSNumber, "\(key)")
    }
    #expect(density["density"] as? String == "gaussian")
    #expect((density["nodes"] as? [Int])?.reduce(0, +) == 100)
    #expect((density["frames"] as? [Any])?.count == 3)
    #expect((object["lines"] as? [Any])?.count == 4)
  }
}
