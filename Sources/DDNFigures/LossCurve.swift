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
    let points = points.filter { !$0.losses.isEmpty }
    return svg(
      points.map(\.images),
      [
        Curve(name: "mean of all levels", colour: "#2c7fb8", values: points.map(\.mean)),
        Curve(name: "last level", colour: "#d95f02", values: points.map(\.last)),
      ], caption: "images seen; loss in units of [-1, 1] squared")
  }

  /// A distance over training images.
  ///
  /// - Parameters:
  ///   - distances: in the order of images; those that are not positive and finite are skipped.
  ///   - images: seen before each distance was measured.
  ///   - name: of the distance.
  public static func svg(distances: [Double], images: [Int], name: String) -> String {
    svg(images, [Curve(name: name, colour: "#2c7fb8", values: distances)], caption: "images seen")
  }

  private struct Curve {
    let name: String
    let colour: String
    var values: [Double]
  }

  private static func svg(_ images: [Int], _ curves: [Curve], caption: String) -> String {
    let kept = images.indices.filter { place in curves.allSatisfy { $0.values[place] > 0 && $0.values[place].isFinite }
    }
    let images = kept.map { images[$0] }
    let curves = curves.map { curve in
      Curve(name: curve.name, colour: curve.colour, values: kept.map { curve.values[$0] })
    }
    guard let end = images.last else { return SVG.drawing(width: width, height: height, []) }
    let values = curves.flatMap(\.values)
    // Rounded to tenths of a decade with a margin.
    let (low, high) = (floor(log10(values.min()!) * 10 - 0.5) / 10, ceil(log10(values.max()!) * 10 + 0.5) / 10)
    func x(_ images: Int) -> Double { left + (right - left) * Double(images) / Double(max(end, 1)) }
    func y(_ value: Double) -> Double { bottom - (bottom - top) * (log10(value) - low) / (high - low) }

    var parts: [String] = []
    for value in ticks(from: pow(10, low), to: pow(10, high)) {
      parts.append(SVG.line(left, y(value), right, y(value), "#ddd"))
      parts.append(SVG.text(String(format: "%g", value), left - 6, y(value) + 4, anchor: "end"))
    }
    for part in 0...4 {
      let images = end * part / 4
      parts.append(SVG.line(x(images), top, x(images), bottom, "#ddd"))
      parts.append(SVG.text("\(images)", x(images), bottom + 16))
    }
    for (index, curve) in curves.enumerated() {
      parts.append(SVG.polyline(zip(images, curve.values).map { (x($0), y($1)) }, curve.colour, width: 2))
      let place = left + 150 * Double(index)
      parts.append(SVG.line(place, height - 14, place + 18, height - 14, curve.colour, width: 2))
      parts.append(SVG.text(curve.name, place + 24, height - 10, anchor: "start"))
    }
    parts.append(SVG.text(caption, right, height - 10, anchor: "end"))
    return SVG.drawing(width: width, height: height, parts)
  }

  /// Ticks at 1, 2 and 5 times powers of ten.
  private static func ticks(from low: Double, to high: Double) -> [Double] {
    (Int(floor(log10(low)))...Int(ceil(log10(high)))).flatMap { power in [1, 2, 5].map { $0 * pow(10, Double(power)) } }
      .filter { (low...high).contains($0) }
  }
}
