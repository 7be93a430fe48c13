import DDNDensities
import Foundation

/// Split-and-Prune on a line, step by step, as a drawing (SVG).
///
/// Source: paper, Figures 4 and 18.
public enum NodeLineFigure {
  private static let (panelWidth, panelHeight, plotHeight) = (420.0, 300.0, 190.0)
  private static let margin = 16.0

  /// - Parameter panels: in rows of two.
  public static func svg(_ panels: [NodeLine.Stage]) -> String {
    let rows = (panels.count + 1) / 2
    let (width, height) = (2 * panelWidth, Double(rows) * panelHeight + 28)
    let drawn = panels.enumerated().map { index, stage in
      let (row, column) = index.quotientAndRemainder(dividingBy: 2)
      let letter = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(index)))
      return """
        <g transform="translate(\(number(Double(column) * panelWidth)) \(number(Double(row) * panelHeight)))">
        \(panel(stage, letter))
        </g>
        """
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(width)) \(number(height))" width="\(number(width))" \
      height="\(number(height))" font-family="DejaVu Sans, Liberation Sans, sans-serif" font-size="11">
      <rect width="100%" height="100%" fill="white"/>
      \(drawn.joined(separator: "\n"))
      \(legend(y: height - 10))
      </svg>

      """
  }

  private static func x(_ place: Double) -> Double { margin + (place + 1) / 2 * (panelWidth - 2 * margin) }

  /// The tallest density that fits is a little more than the curve's.
  private static func y(_ density: Double) -> Double {
    30 + plotHeight * (1 - min(density / (1.25 * NodeLine.density(NodeLine.mean)), 1))
  }

  private static func panel(_ stage: NodeLine.Stage, _ letter: String) -> String {
    let curve = stride(from: -1.0, through: 1, by: 0.02).map { "\(number(x($0))),\(number(y(NodeLine.density($0))))" }
    let count = stage.line.nodes.count
    var parts = [
      text("(\(letter)) \(stage.title), K = \(count), KL(P‖Q) = \(decimal(stage.kl, 4))", panelWidth / 2, 18, size: 13),
      ##"<polyline points="\##(curve.joined(separator: " "))" fill="none" stroke="#8ecae6" stroke-width="2.5"/>"##,
      line(x(-1), y(0), x(1), y(0), "#444"),
    ]
    for boundary in stage.line.boundaries.dropFirst().dropLast() {
      parts.append(line(x(boundary), 30, x(boundary), y(0), "#bbb", #" stroke-dasharray="4 3""#))
    }
    for (node, place) in stage.line.nodes.enumerated() {
      let (left, right) = (stage.line.boundaries[node], stage.line.boundaries[node + 1])
      let colours = [(stage.p[node], "#7b2cbf"), (stage.q, "#f2a900")]
      for (probability, colour) in colours where right > left {
        let height = y(probability / (right - left))
        parts.append(line(x(left), height, x(right), height, colour, #" stroke-width="2.5""#))
      }
      parts.append(cross(x(place), y(0)))
      if node == stage.marked {
        parts.append(
          #"<circle cx="\#(number(x(place)))" cy="\#(number(y(0)))" r="9" fill="none" stroke="red" stroke-width="2"/>"#)
      }
      // With many nodes every second stands lower, so that numbers do not run into each other.
      let numbers = [(stage.p[node], "#7b2cbf"), (stage.q, "#b57f00"), (stage.p[node] - stage.q, "#222")]
      for (row, (value, colour)) in numbers.enumerated() {
        let digits = decimal(value, count > 8 ? 2 : 3)
        parts.append(
          text(digits, numbersX(node, count), y(0) + 24 + 15 * Double(row), size: count > 8 ? 8.5 : 11, colour))
      }
      parts.append(line(x(place), y(0) + 4, numbersX(node, count), y(0) + 13, "#ccc"))
    }
    return parts.joined(separator: "\n")
  }

  /// Numbers stand evenly under the line, each joined to its node.
  private static func numbersX(_ node: Int, _ count: Int) -> Double {
    margin + (Double(node) + 0.5) / Double(count) * (panelWidth - 2 * margin)
  }

  private static func legend(y: Double) -> String {
    let items = [
      ("target density", "#8ecae6"), ("P, the target nearest to the node, and its mean density", "#7b2cbf"),
      ("Q = 1/K, and its mean density", "#f2a900"),
    ]
    var place = margin
    return items.map { label, colour in
      defer { place += 40 + 6.1 * Double(label.count) }
      return line(place, y - 4, place + 18, y - 4, colour, #" stroke-width="2.5""#)
        + #"<text x="\#(number(place + 24))" y="\#(number(y))">\#(label)</text>"#
    }.joined(separator: "\n")
      + #"<text x="\#(number(place))" y="\#(number(y))">circle: split or pruned next</text>"#
  }

  private static func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String, _ more: String = ""
  ) -> String {
    #"<line x1="\#(number(x1))" y1="\#(number(y1))" x2="\#(number(x2))" y2="\#(number(y2))" stroke="\#(colour)"\#(more)/>"#
  }

  private static func cross(_ x: Double, _ y: Double) -> String {
    line(x - 4, y - 4, x + 4, y + 4, "#222", #" stroke-width="1.8""#)
      + line(x - 4, y + 4, x + 4, y - 4, "#222", #" stroke-width="1.8""#)
  }

  private static func text(_ text: String, _ x: Double, _ y: Double, size: Double, _ colour: String = "#222") -> String
  {
    #"<text x="\#(number(x))" y="\#(number(y))" text-anchor="middle" font-size="\#(number(size))" fill="\#(colour)">\#(text)</text>"#
  }

  private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
  private static func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}
