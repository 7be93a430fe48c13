import DDNDensities
import Foundation
import Images

/// Pictures of fits to two-dimensional densities.
public enum DensityFigures {
  /// A column for each density: the truth, real samples, gradient descent alone, with Split-and-Prune; KL under each.
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

  /// The nodes as they learn one density after the other, beside the truth.
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

  /// A density, or points in its bins, on one scale: yellow is one and a half times the density's highest bin.
  private static func picture(_ points: DensityExperiment.BinnedPoints?, _ map: DensityMap) -> Bitmap {
    let total = points.map { Double($0.counts.reduce(0, +)) } ?? 1
    let values = points.map { $0.counts.map { Double($0) / total } } ?? map.probabilities
    return Viridis.bitmap(values, height: map.height, width: map.width, top: 1.5 * map.probabilities.max()!)
  }
}
