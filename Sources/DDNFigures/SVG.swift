import Foundation

/// SVG 1.1 elements; lengths are in pixels, y points down.
enum SVG {
  static func drawing(width: Double, height: Double, _ parts: [String]) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(width)) \(number(height))" width="\(number(width))" \
    height="\(number(height))" font-family="DejaVu Sans, Liberation Sans, sans-serif" font-size="11">
    <rect width="100%" height="100%" fill="white"/>
    \(parts.joined(separator: "\n"))
    </svg>

    """
  }

  static func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String, width: Double = 1, dashes: String? = nil
  ) -> String {
    let ends = #"x1="\#(number(x1))" y1="\#(number(y1))" x2="\#(number(x2))" y2="\#(number(y2))""#
    let dash = dashes.map { #" stroke-dasharray="\#($0)""# } ?? ""
    return #"<line \#(ends) stroke="\#(colour)" stroke-width="\#(number(width))"\#(dash)/>"#
  }

  static func polyline(_ points: [(x: Double, y: Double)], _ colour: String, width: Double) -> String {
    let places = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    return #"<polyline points="\#(places)" fill="none" stroke="\#(colour)" stroke-width="\#(number(width))"/>"#
  }

  static func circle(_ x: Double, _ y: Double, radius: Double, _ colour: String) -> String {
    let place = #"cx="\#(number(x))" cy="\#(number(y))" r="\#(number(radius))""#
    return #"<circle \#(place) fill="none" stroke="\#(colour)" stroke-width="2"/>"#
  }

  /// - Parameter anchor: "start", "middle" or "end": the alignment at `x`.
  static func text(
    _ text: String, _ x: Double, _ y: Double, size: Double = 11, _ colour: String = "#222", anchor: String = "middle"
  ) -> String {
    let safe = text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
    let look = #"text-anchor="\#(anchor)" font-size="\#(number(size))" fill="\#(colour)""#
    return #"<text x="\#(number(x))" y="\#(number(y))" \#(look)>\#(safe)</text>"#
  }

  private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
