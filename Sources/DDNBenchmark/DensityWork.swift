import DDN
import DDNDensities
import Foundation
import Torch

/// Fits nodes to a two-dimensional density: the original's example without a network.
public struct DensityWork: Encodable, Sendable {
  /// K.
  public let nodes: Int
  /// Samples per step.
  public let batch = 40
  /// Samples per run here: as many per node as in the original's example.
  public let samples: Int
  /// Samples per run of the original; 0 where its K x K tables do not fit in memory.
  public let originalSamples: Int
  /// Bins per side of the density.
  let bins = 100

  init(nodes: Int) {
    self.nodes = nodes
    samples = 36 * nodes
    originalSamples = nodes <= 2000 ? samples : nodes <= 20_000 ? 400 : 0
  }

  var name: String { "toy, K=\(nodes)" }

  /// Samples after which the nodes of both programs are comparedSamples.
  private static let comparedSamples = 400

  private func options(_ rule: SplitPolicy.Rule) -> DensityFit.Options {
    .init(nodes: nodes, batch: batch, distance: .l1, split: .init(rule: rule))
  }

  func prepare(_ machine: Machine) -> PreparedRow {
    let map = Density.spiral.map(bins: bins)
    return PreparedRow(
      makeCase: { try makeCase(map) },
      run: {
        var fit = DensityFit(options(.totalVariation))
        fit.train(on: map, samples: samples)
      })
  }

  /// Without splits, because the two programs prune different ones of several unused nodes.
  private func makeCase(_ map: DensityMap) throws -> [String: Tensor] {
    var fit = DensityFit(options(.none))
    let before = fit.nodes
    let draws = fit.upcomingSamples(Self.comparedSamples, of: map)
    fit.train(on: map, samples: Self.comparedSamples)
    func tensor(_ points: [SIMD2<Float>]) throws -> Tensor {
      try Tensor(points.flatMap { [$0.x, $0.y] }, shape: [points.count, 2])
    }
    return [
      "input.probabilities": try Tensor(map.probabilities.map(Float.init), shape: [bins, bins]),
      "input.nodes": try tensor(before), "input.samples": try tensor(draws), "expected.nodes": try tensor(fit.nodes),
    ]
  }
}
