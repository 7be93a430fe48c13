import DDN
import DDNDensities
import Foundation
import Torch

/// Nodes in the plane that learn a density: the original's example without a network.
public struct DensityWork: Encodable, Sendable {
  /// K.
  public let nodes: Int
  /// Samples a step.
  public let batch = 40
  /// Samples that one of our runs works on: as many a node as in the original's example.
  public let samples: Int
  /// Samples that one of the original's runs works on; 0 where its tables of K x K do not fit.
  public let originalSamples: Int
  /// Bins along each side of the density.
  let bins = 100

  init(nodes: Int) {
    self.nodes = nodes
    samples = 36 * nodes
    originalSamples = nodes <= 2000 ? samples : nodes <= 20_000 ? 400 : 0
  }

  var name: String { "toy, K=\(nodes)" }

  /// Samples on which both sides must move the same nodes to the same places.
  private static let compared = 400

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

  /// Without splits, so that every number can be compared: of unused nodes the two sides give up different ones.
  private func makeCase(_ map: DensityMap) throws -> [String: Tensor] {
    var fit = DensityFit(options(.none))
    let before = fit.nodes
    let draws = fit.upcomingSamples(Self.compared, of: map)
    fit.train(on: map, samples: Self.compared)
    func tensor(_ points: [SIMD2<Float>]) throws -> Tensor {
      try Tensor(points.flatMap { [$0.x, $0.y] }, shape: [points.count, 2])
    }
    return [
      "input.probabilities": try Tensor(map.probabilities.map(Float.init), shape: [bins, bins]),
      "input.nodes": try tensor(before), "input.samples": try tensor(draws), "expected.nodes": try tensor(fit.nodes),
    ]
  }
}
