import DDNEvaluation
import Foundation

/// PSNR over bits per image as SVG, the bits on a logarithmic scale.
public enum RateDistortionCurve {
  private static let (width, height) = (680.0, 420.0)
  private static let (left, right, top, bottom) = (52.0, 530.0, 20.0, 370.0)

  /// A method's points, by bits.
  private struct Curve {
    let name: String
    let colour: String
    let points: [(bits: Double, psnr: Double)]
  }

  private static func colour(_ method: CompressionReport.Method) -> String {
    switch method {
    case .model: "#d62728"
    case .pca: "#1f77b4"
    case .kMeans: "#17a2a2"
    case .jpeg: "#8c8c8c"
    case .webp: "#2ca02c"
    case .avif: "#ff9f0e"
    case .jpegXL: "#9467bd"
    }
  }

  /// Draws every method of a report: codes by their bits, pictures by the bits of whole files.
  ///
  /// - Parameter report: rows without a finite PSNR are skipped.
  public static func svg(_ report: CompressionReport) -> String {
    let curves = CompressionReport.Method.allCases.compactMap { method -> Curve? in
      let points = report.rows(of: method).compactMap { row -> (bits: Double, psnr: Double)? in
        let isFile = ![.model, .pca, .kMeans].contains(method)
        let bits = isFile ? 8 * (row.fileBytes ?? 0) : row.codeBits
        return row.psnr.flatMap { bits > 0 ? (bits, $0) : nil }
      }
      return points.isEmpty ? nil : Curve(name: method.name, colour: colour(method), points: points)
    }
    let all = curves.flatMap(\.points)
    guard let least = all.map(\.bits).min(), let most = all.map(\.bits).max(),
      let lowest = all.map(\.psnr).min(), let highest = all.map(\.psnr).max()
    else { return SVG.drawing(width: width, height: height, []) }
    let (firstPower, lastPower) = (floor(log10(least) - 0.01), ceil(log10(most) + 0.01))
    let (low, high) = (floor(lowest / 2) * 2, ceil(highest / 2 + 0.1) * 2)
    func x(_ bits: Double) -> Double { left + (right - left) * (log10(bits) - firstPower) / (lastPower - firstPower) }
    func y(_ psnr: Double) -> Double { bottom - (bottom - top) * (psnr - low) / (high - low) }

    var parts: [String] = []
    for power in stride(from: firstPower, through: lastPower, by: 1) {
      for factor in [1.0, 2, 5] where factor == 1 || power < lastPower {
        let bits = factor * pow(10, power)
        parts.append(SVG.line(x(bits), top, x(bits), bottom, "#ddd"))
        parts.append(SVG.text(String(format: "%g", bits), x(bits), bottom + 16))
      }
    }
    for psnr in stride(from: low, through: high, by: high - low > 16 ? 4 : 2) {
      parts.append(SVG.line(left, y(psnr), right, y(psnr), "#ddd"))
      parts.append(SVG.text(String(format: "%g", psnr), left - 6, y(psnr) + 4, anchor: "end"))
    }
    parts.append(SVG.text("PSNR, dB", left, top - 7, anchor: "start"))
    let unit = "bits per image; \(report.pixels) pixels, \(report.count) test images"
    parts.append(SVG.text(unit, (left + right) / 2, bottom + 36))
    for (index, curve) in curves.enumerated() {
      let places = curve.points.map { (x: x($0.bits), y: y($0.psnr)) }
      parts.append(SVG.polyline(places, curve.colour, width: index == 0 ? 2.5 : 1.5))
      for place in places { parts.append(SVG.circle(place.x, place.y, radius: 1.5, curve.colour)) }
      let row = top + 14 + 20 * Double(index)
      parts.append(SVG.line(right + 14, row - 4, right + 34, row - 4, curve.colour, width: 2.5))
      parts.append(SVG.text(curve.name, right + 40, row, anchor: "start"))
    }
    return SVG.drawing(width: width, height: height, parts)
  }
}
