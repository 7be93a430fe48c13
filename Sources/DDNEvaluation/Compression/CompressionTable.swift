import DDN
import Foundation

/// A report as Markdown: methods side by side at the model's bits, and the model level by level.
public struct CompressionTable {
  public let text: String

  /// - Parameter report: with at least the model's rows.
  public init(_ report: CompressionReport) {
    var lines = Self.methods(report)
    lines += ["", "By level:", ""] + Self.levels(report)
    lines += [""] + Self.remarks(report)
    text = lines.joined(separator: "\n") + "\n"
  }

  private static func methods(_ report: CompressionReport) -> [String] {
    var lines = [
      "| | images | code bits | file bytes | code bits a pixel | file bits a pixel | PSNR, dB | SSIM |",
      "|---|---|---|---|---|---|---|---|",
    ]
    let codes = [CompressionReport.Method.model, .pca, .kMeans].compactMap { report.rows(of: $0).last }
    for row in codes + report.comparable {
      let isFile = ![.model, .pca, .kMeans].contains(row.method)
      let pixels = Double(report.pixels)
      lines.append(
        line([
          row.method.name + (isFile ? ", \(row.setting)" : ""), "\(row.images)", format(row.codeBits, 0),
          row.fileBytes.map { format($0, 1) } ?? "", format(row.codeBits / pixels, 4),
          row.fileBytes.map { format($0 * 8 / pixels, 4) } ?? "", row.psnr.map { format($0, 2) } ?? "infinite",
          format(row.ssim, 4),
        ]))
    }
    return lines
  }

  private static func levels(_ report: CompressionReport) -> [String] {
    let model = report.rows(of: .model)
    let shown = Reconstruction.shownLevels(of: model.count)
    let others = [CompressionReport.Method.pca, .kMeans].filter { !report.rows(of: $0).isEmpty }
    var lines = [
      line(["level", "bits", "PSNR", "SSIM"] + others.map { "\($0.name): PSNR" }),
      "|" + String(repeating: "---|", count: 4 + others.count),
    ]
    for (place, level) in shown.enumerated() {
      let row = model[level]
      lines.append(
        line(
          ["\(level + 1)", format(row.codeBits, 1), row.psnr.map { format($0, 2) } ?? "", format(row.ssim, 4)]
            + others.map { report.rows(of: $0)[place].psnr.map { format($0, 2) } ?? "" }))
    }
    return lines
  }

  private static func remarks(_ report: CompressionReport) -> [String] {
    var lines: [String] = []
    if report.trainingCount > 0 {
      lines.append("PCA and k-means are fitted to \(report.trainingCount) training images.")
    }
    lines.append(
      "Picture files are of the first \(report.pictureCount) test images; their code bits are those of the file less "
        + "one of the same size in one shade.")
    if let bytes = report.dataSetFileBytes {
      lines.append("All \(report.count) codes in one file: \(format(bytes, 2)) bytes each.")
    }
    if let bound = report.gaussianBound {
      lines.append(
        "Gaussian components with the training images' variances: \(format(bound, 2)) dB of the mean error at best.")
    }
    return lines + report.notes.map { "Note: \($0)." }
  }

  private static func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

  private static func format(_ number: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", number) }
}
