import DDNDensities
import Foundation

/// Stages of Split-and-Prune in one dimension as SVG.
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
        <g transform="translate(\(Int(panelWidth) * column) \(Int(panelHeight) * row))">
        \(panel(stage, letter))
        </g>
        """
    }
    return SVG.drawing(width: width, height: height, drawn + [legend(y: height - 10)])
  }

  private static func x(_ place: Double) -> Double { margin + (place + 1) / 2 * (panelWidth - 2 * margin) }

  /// The plot's height is 1.25 times the curve's maximum.
  private static func y(_ density: Double) -> Double {
    30 + plotHeight * (1 - min(density / (1.25 * NodeLine.density(NodeLine.mean)), 1))
  }

  private static func panel(_ stage: NodeLine.Stage, _ letter: String) -> String {
    let count = stage.line.nodes.count
    let title = "(\(letter)) \(stage.title), K = \(count), KL(P‖Q) = \(decimal(stage.kl, 4))"
    let curve = stride(from: -1.0, through: 1, by: 0.02).map { (x: x($0), y: y(NodeLine.density($0))) }
    var parts = [
      SVG.text(title, panelWidth / 2, 18, size: 13), SVG.polyline(curve, "#8ecae6", width: 2.5),
      SVG.line(x(-1), y(0), x(1), y(0), "#444"),
    ]
    for boundary in stage.line.boundaries.dropFirst().dropLast() {
      parts.append(SVG.line(x(boundary), 30, x(boundary), y(0), "#bbb", dashes: "4 3"))
    }
    for (node, place) in stage.line.nodes.enumerated() {
      let (left, right) = (stage.line.boundaries[node], stage.line.boundaries[node + 1])
      for (probability, colour) in [(stage.p[node], "#7b2cbf"), (stage.q, "#f2a900")] where right > left {
        let height = y(probability / (right - left))
        parts.append(SVG.line(x(left), height, x(right), height, colour, width: 2.5))
      }
      parts.append(SVG.line(x(place) - 4, y(0) - 4, x(place) + 4, y(0) + 4, "#222", width: 1.8))
      parts.append(SVG.line(x(place) - 4, y(0) + 4, x(place) + 4, y(0) - 4, "#222", width: 1.8))
      if node == stage.marked { parts.append(SVG.circle(x(place), y(0), radius: 9, "red")) }
      let numbers = [(stage.p[node], "#7b2cbf"), (stage.q, "#b57f00"), (stage.p[node] - stage.q, "#222")]
      for (row, (value, colour)) in numbers.enumerated() {
        parts.append(
          SVG.text(
            decimal(value, count > 8 ? 2 : 3), numbersX(node, count), y(0) + 24 + 15 * Double(row),
            size: count > 8 ? 8.5 : 11, colour))
      }
      parts.append(SVG.line(x(place), y(0) + 4, numbersX(node, count), y(0) + 13, "#ccc"))
    }
    return parts.joined(separator: "\n")
  }

  /// Numbers are spaced evenly below the axis and joined to their nodes by lines.
  private static func numbersX(_ node: Int, _ count: Int) -> Double {
    margin + (Double(node) + 0.5) / Double(count) * (panelWidth - 2 * margin)
  }

  private static func legend(y: Double) -> String {
    let items = [
      ("target density", "#8ecae6"), ("P, the target nearest to the node, and its mean density", "#7b2cbf"),
      ("Q = 1/K, and its mean density", "#f2a900"),
    ]
    var place = margin
    var parts: [String] = []
    for (label, colour) in items {
      parts.append(SVG.line(place, y - 4, place + 18, y - 4, colour, width: 2.5))
      parts.append(SVG.text(label, place + 24, y, anchor: "start"))
      place += 40 + 6.1 * Double(label.count)
    }
    return (parts + [SVG.text("circle: split or pruned next", place, y, anchor: "start")]).joined(separator: "\n")
  }

  private static func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}
