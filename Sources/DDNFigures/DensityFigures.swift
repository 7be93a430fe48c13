import DDNDensities
import Foundation
import Images

/// Figures of fits to two-dimensional densities.
public enum DensityFigures {
  /// A column per density: the density, real samples, gradient descent alone, Split-and-Prune; each with its KL
  /// divergence.
  ///
  /// Source: paper, Figure 5.
  public static func panel(_ outcomes: [DensityExperiment.Outcome]) throws(ImageError) -> Bitmap {
    let rows: [(label: String, points: (DensityExperiment.Outcome) -> DensityExperiment.BinnedPoints?)] = [
      ("truth", { _ in nil }), ("real samples", { $0.real }), ("gradient descent", { $0.withoutSplits }),
      ("Split-and-Prune", { $0.nodes }),
    ]
    let cells = rows.flatMap { row in outcomes.map { (outcome: $0, points: row.points($0)) } }
    return try Grid(
      columns: outcomes.count, gap: 8, zoom: zoom(outcomes[0].map), rowLabels: rows.map(\.label),
      columnLabels: outcomes.map(\.map.name), captions: cells.map { $0.points.map(caption) ?? " " }, textSize: 16
    ).draw(cells.map { picture($0.points, $0.outcome.map) })
  }

  /// The nodes during training on consecutive densities, beside the density.
  public static func animation(_ outcomes: [DensityExperiment.Outcome]) throws(ImageError) -> Animation {
    var pictures: [Bitmap] = []
    for outcome in outcomes {
      for frame in outcome.frames {
        let grid = Grid(
          columns: 2, gap: 8, zoom: zoom(outcome.map), columnLabels: [outcome.map.name, "nodes"],
          captions: ["\(frame.samples) samples", caption(frame.nodes)], textSize: 16)
        pictures.append(try grid.draw([picture(nil, outcome.map), picture(frame.nodes, outcome.map)]))
      }
    }
    return Animation(pictures, milliseconds: 120)
  }

  private static func caption(_ points: DensityExperiment.BinnedPoints) -> String {
    "KL \(String(format: "%.3f", points.divergences.kl))"
  }

  /// About 200 pixels across.
  private static func zoom(_ map: DensityMap) -> Int { max(1, 200 / max(map.width, map.height)) }

  /// A density or a histogram of points on a common scale: yellow is 1.5 times the density's maximum.
  private static func picture(_ points: DensityExperiment.BinnedPoints?, _ map: DensityMap) -> Bitmap {
    let total = points.map { Double($0.counts.reduce(0, +)) } ?? 1
    let values = points.map { $0.counts.map { Double($0) / total } } ?? map.probabilities
    return Viridis.bitmap(values, height: map.height, width: map.width, top: 1.5 * map.probabilities.max()!)
  }
}
