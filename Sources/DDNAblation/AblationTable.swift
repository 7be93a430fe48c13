import DDN
import Foundation

/// The table of an ablation study: a row for each set of changes, means over seeds with standard deviations.
///
/// Source: paper, Table 2.
public struct AblationTable {
  private let plan: AblationPlan
  private let results: [AblationResult]
  /// "FID", or a name that says which network's features are compared; nil without a detector.
  private let distance: String?
  private let images: AblationImages

  /// - Parameters:
  ///   - plan: rows in their order.
  ///   - results: finished runs; rows without any have empty cells.
  ///   - images: that runs were measured on.
  ///   - distance: name of the Frechet distance; nil without a detector.
  public init(_ plan: AblationPlan, _ results: [AblationResult], images: AblationImages, distance: String?) {
    (self.plan, self.results, self.images, self.distance) = (plan, results, images, distance)
  }

  /// For documentation.
  public var markdown: String {
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
    func table(_ rows: [[String]]) -> String {
      line(rows[0]) + "|" + String(repeating: "---|", count: rows[0].count) + "\n"
        + rows.dropFirst().map(line).joined()
    }
    return notes.joined(separator: "\n\n") + "\n\n" + table(rows) + "\n" + levelCaption + "\n\n" + table(levelRows)
  }

  /// For terminals.
  public var text: String {
    func table(_ rows: [[String]]) -> String {
      let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
      return rows.map { row in
        row.indices.map { column in
          let space = String(repeating: " ", count: widths[column] - row[column].count)
          return column == 0 ? row[column] + space : space + row[column]
        }.joined(separator: "  ") + "\n"
      }.joined()
    }
    return notes.joined(separator: "\n") + "\n\n" + table(rows) + "\n" + levelCaption + "\n" + table(levelRows)
  }

  /// What a reader of the numbers has to know.
  private var notes: [String] {
    let options = plan.base
    var notes = [
      "\(options.images) training images a run from \(images.training.name), \(options.network.summary), "
        + "mean ± standard deviation over the seeds \(plan.seeds.map(String.init).joined(separator: ", ")).",
      images.test.map { "Test images: \($0.count) of \($0.name)." }
        ?? "No test images: reconstructions are of training images alone.",
    ]
    if let distance {
      notes.append(
        "Distances: \(distance), of \(images.samples) random codes and of reconstructions of "
          + "\(images.training.count) training images" + (images.test.map { " and \($0.count) test images" } ?? "")
          + ".")
    }
    notes.append(
      "Error and PSNR are of the last level. Nodes in use: perplexity of their use in training over K, mean over layers."
    )
    notes += plan.omissions.map { "Left out: \($0.label): \($0.reason)." }
    return notes
  }

  private var rows: [[String]] {
    let error = images.test == nil ? "training error" : "test error"
    var header = ["row", "runs", "parameters", "bits", error, "PSNR, dB"]
    if distance != nil {
      header += ["distance of samples", "of training reconstructions"]
      if images.test != nil { header.append("of test reconstructions") }
    }
    header += ["splits", "nodes in use, of K"]
    return [header]
      + plan.rows.map { row in
        let found = results(of: row)
        func cell(_ digits: Int, _ value: (AblationResult) -> Double?) -> String {
          let values = found.compactMap(value)
          return values.isEmpty ? "" : AblationMean(of: values).text(digits: digits)
        }
        var cells = [
          row.label, "\(found.count)", found.first.map { "\($0.parameters)" } ?? "",
          String(format: "%.1f", row.options.network.codeSpace.bits),
          cell(4) { Self.shown($0).errorOfLevels.last }, cell(2) { Self.shown($0).psnr },
        ]
        if distance != nil {
          cells += [cell(2) { $0.measurement.sampleDistance }, cell(2) { $0.measurement.training.frechetDistance }]
          if images.test != nil { cells.append(cell(2) { $0.measurement.test?.frechetDistance }) }
        }
        return cells + [
          cell(0) { Double($0.splits) },
          cell(2) { result in
            let shares = zip(result.perplexityOfLayers, row.nodesOfLayers(result.perplexityOfLayers.count)).map {
              $0 / $1
            }
            return shares.isEmpty ? nil : shares.reduce(0, +) / Double(shares.count)
          },
        ]
      }
  }

  private var levelCaption: String {
    "Mean squared error of \(images.test == nil ? "training" : "test") images after each "
      + "level, in units of [-1, 1] squared:"
  }

  /// The levels that most rows have.
  private var levelRows: [[String]] {
    let levels = plan.base.network.codeSpace.levels.count
    let shown = Reconstruction.shownLevels(of: levels)
    return [["row"] + shown.map { "\($0 + 1)" }]
      + plan.rows.map { row in
        let errors = results(of: row).map { Self.shown($0).errorOfLevels }
        return [row.label]
          + shown.map { level in
            let values = errors.compactMap { level < $0.count ? $0[level] : nil }
            return values.isEmpty ? "" : String(format: "%.4f", AblationMean(of: values).mean)
          }
      }
  }

  /// The results of a row, in the order of the seeds.
  private func results(of row: AblationRow) -> [AblationResult] {
    plan.seeds.compactMap { seed in results.first { $0.row == row.name && $0.seed == seed } }
  }

  private static func shown(_ result: AblationResult) -> AblationMeasurement.Reconstructions {
    result.measurement.test ?? result.measurement.training
  }
}

extension AblationRow {
  /// K of each layer; layers may be shared by levels.
  fileprivate func nodesOfLayers(_ layers: Int) -> [Double] {
    let levels = options.network.codeSpace.levels
    guard layers > 0, levels.count >= layers else { return [] }
    return (0..<layers).map { Double(levels[$0 * levels.count / layers].nodes) }
  }
}
