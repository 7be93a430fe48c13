/// The paper's masks: which pixels of an image are known.
///
/// All divisions round down, as in the original program.
public enum BuiltInMask: Int, CaseIterable, Sendable {
  case leftHalf, topHalf, bottomHalf, diagonalQuadrants, band, cross, center, letterS, notLetterS, notBand

  /// `[height * width]`, 1 where a pixel is known.
  public func pixels(height: Int, width: Int) -> [Float] {
    var pixels = [Float](repeating: 0, count: height * width)
    for row in 0..<height {
      for column in 0..<width where isKnown(row, column, height, width) { pixels[row * width + column] = 1 }
    }
    return pixels
  }

  private func isKnown(_ row: Int, _ column: Int, _ height: Int, _ width: Int) -> Bool {
    let isInBand = (2 * height / 5..<5 * height / 9).contains(row)
    switch self {
    case .leftHalf: return column < width / 2
    case .topHalf: return row < height / 2
    case .bottomHalf: return row >= height / 2
    case .diagonalQuadrants: return (row < height / 2) == (column < width / 2)
    case .band: return isInBand
    case .cross: return isInBand || (2 * width / 5..<3 * width / 5).contains(column)
    case .center:
      return (height / 4..<3 * height / 4).contains(row) && (width / 4..<3 * width / 4).contains(column)
    case .letterS: return Self.isLetterS(row, column, height, width)
    case .notLetterS: return !Self.isLetterS(row, column, height, width)
    case .notBand: return !isInBand
    }
  }

  /// A broad line along a polyline, in fractions of the image; the original program's letter is of OpenCV's font.
  private static func isLetterS(_ row: Int, _ column: Int, _ height: Int, _ width: Int) -> Bool {
    let (x, y) = ((Double(column) + 0.5) / Double(width), (Double(row) + 0.5) / Double(height))
    let radius = 0.0594
    return zip(letterLine, letterLine.dropFirst()).contains { start, end in
      let (dx, dy) = (end.x - start.x, end.y - start.y)
      let place = min(max(((x - start.x) * dx + (y - start.y) * dy) / (dx * dx + dy * dy), 0), 1)
      let (offX, offY) = (x - start.x - place * dx, y - start.y - place * dy)
      return offX * offX + offY * offY < radius * radius
    }
  }

  private static let letterLine: [(x: Double, y: Double)] = [
    (0.711, 0.423), (0.665, 0.365), (0.599, 0.326), (0.472, 0.333), (0.388, 0.388), (0.363, 0.413), (0.410, 0.534),
    (0.512, 0.576), (0.596, 0.585), (0.698, 0.631), (0.718, 0.707), (0.690, 0.805), (0.592, 0.832), (0.493, 0.820),
    (0.408, 0.776), (0.360, 0.737),
  ]

  /// As it is typed: `left`, or its number.
  public var name: String {
    switch self {
    case .leftHalf: "left"
    case .topHalf: "top"
    case .bottomHalf: "bottom"
    case .diagonalQuadrants: "quadrants"
    case .band: "band"
    case .cross: "cross"
    case .center: "center"
    case .letterS: "letter"
    case .notLetterS: "not-letter"
    case .notBand: "not-band"
    }
  }

  /// - Parameter text: a name or a number.
  public init?(_ text: String) {
    guard let mask = Int(text).flatMap(Self.init(rawValue:)) ?? Self.allCases.first(where: { $0.name == text }) else {
      return nil
    }
    self = mask
  }
}
