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
    let points = points.filter { !$0.losses.isEmpty && isDrawn($0.mean) && isDrawn($0.last) }
    return svg(
      [
        Curve(name: "mean of all levels", colour: "#2c7fb8", points: points.map { ($0.images, $0.mean) }),
        Curve(name: "last level", colour: "#d95f02", points: points.map { ($0.images, $0.last) }),
      ], caption: "images seen; loss in units of [-1, 1] squared")
  }

  /// A distance over training images.
  ///
  /// - Parameters:
  ///   - distances: in the order of images; those that are not positive and finite are skipped.
  ///   - images: seen before each distance was measured.
  ///   - name: of the distance.
  public static func svg(distances: [Double], images: [Int], name: String) -> String {
    let points = zip(images, distances).filter { isDrawn($0.1) }
    return svg([Curve(name: name, colour: "#2c7fb8", points: points)], caption: "images seen")
  }

  /// The last level's loss of several trainings, with a legend at the right.
  ///
  /// - Parameter rows: each a name and the points of one or more runs, whose losses after as many images are averaged;
  ///   losses that are not positive and finite are skipped.
  public static func svg(rows: [(name: String, points: [Point])]) -> String {
    let curves = rows.enumerated().map { place, row in
      let points = Dictionary(grouping: row.points.filter { !$0.losses.isEmpty && isDrawn($0.last) }, by: \.images)
      return Curve(
        name: row.name, colour: colours[place % colours.count],
        points: points.keys.sorted().map { images in
          (images, points[images]!.reduce(0) { $0 + $1.last } / Double(points[images]!.count))
        })
    }
    return svg(
      curves, caption: "images seen; the last level's training loss in units of [-1, 1] squared", hasLegendAtRight: true
    )
  }

  /// Tableau's ten.
  private static let colours = [
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
  ]

  private struct Curve {
    let name: String
    let colour: String
    let points: [(images: Int, value: Double)]
  }

  private static func isDrawn(_ value: Double) -> Bool { value > 0 && value.isFinite }

  private static func svg(_ curves: [Curve], caption: String, hasLegendAtRight: Bool = false) -> String {
    let width = hasLegendAtRight ? width + 260 : width
    let points = curves.flatMap(\.points)
    guard let end = points.map(\.images).max() else { return SVG.drawing(width: width, height: height, []) }
    let values = points.map(\.value)
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
      parts.append(SVG.polyline(curve.points.map { (x($0.images), y($0.value)) }, curve.colour, width: 2))
      let place =
        hasLegendAtRight
        ? (x: right + 14, y: top + 14 + 20 * Double(index)) : (x: left + 150 * Double(index), y: height - 14)
      parts.append(SVG.line(place.x, place.y, place.x + 18, place.y, curve.colour, width: 2))
      parts.append(SVG.text(curve.name, place.x + 24, place.y + 4, anchor: "start"))
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
