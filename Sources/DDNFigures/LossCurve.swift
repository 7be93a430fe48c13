import Foundation

/// Loss over training images as SVG, on a logarithmic scale.
public enum LossCurve {
  /// Losses at one point of training.
  public struct Point: Sendable {
    let images: Int
    let losses: [Double]

    /// - Parameters:
    ///   - images: seen so far.
    ///   - losses: every level's loss, in units of [-1, 1] squared.
    public init(images: Int, losses: [Double]) {
      self.images = images
      self.losses = losses
    }

    var mean: Double { losses.reduce(0, +) / Double(losses.count) }
    var last: Double { losses.last! }
  }

  private static let (width, height) = (640.0, 360.0)
  private static let (left, right, top, bottom) = (60.0, 620.0, 20.0, 310.0)

  /// - Parameter points: in the order of images; points with a loss that is not positive and finite are skipped.
  public static func svg(_ points: [Point]) -> String {
    let points = points.filter { !$0.losses.isEmpty && $0.mean > 0 && $0.last > 0 && $0.mean.isFinite }
    guard let end = points.last else { return SVG.drawing(width: width, height: height, []) }
    let losses = points.flatMap { [$0.mean, $0.last] }
    // Rounded to tenths of a decade with a margin.
    let (low, high) = (floor(log10(losses.min()!) * 10 - 0.5) / 10, ceil(log10(losses.max()!) * 10 + 0.5) / 10)
    func x(_ images: Int) -> Double { left + (right - left) * Double(images) / Double(max(end.images, 1)) }
    func y(_ loss: Double) -> Double { bottom - (bottom - top) * (log10(loss) - low) / (high - low) }

    var parts: [String] = []
    for loss in ticks(from: pow(10, low), to: pow(10, high)) {
      parts.append(SVG.line(left, y(loss), right, y(loss), "#ddd"))
      parts.append(SVG.text(String(format: "%g", loss), left - 6, y(loss) + 4, anchor: "end"))
    }
    for part in 0...4 {
      let images = end.images * part / 4
      parts.append(SVG.line(x(images), top, x(images), bottom, "#ddd"))
      parts.append(SVG.text("\(images)", x(images), bottom + 16))
    }
    let curves: [(name: String, colour: String, loss: (Point) -> Double)] = [
      ("mean of all levels", "#2c7fb8", { $0.mean }), ("last level", "#d95f02", { $0.last }),
    ]
    for (index, curve) in curves.enumerated() {
      parts.append(SVG.polyline(points.map { (x($0.images), y(curve.loss($0))) }, curve.colour, width: 2))
      let place = left + 150 * Double(index)
      parts.append(SVG.line(place, height - 14, place + 18, height - 14, curve.colour, width: 2))
      parts.append(SVG.text(curve.name, place + 24, height - 10, anchor: "start"))
    }
    parts.append(SVG.text("images seen; loss in units of [-1, 1] squared", right, height - 10, anchor: "end"))
    return SVG.drawing(width: width, height: height, parts)
  }

  /// Ticks at 1, 2 and 5 times powers of ten.
  private static func ticks(from low: Double, to high: Double) -> [Double] {
    (Int(floor(log10(low)))...Int(ceil(log10(high)))).flatMap { power in [1, 2, 5].map { $0 * pow(10, Double(power)) } }
      .filter { (low...high).contains($0) }
  }
}
