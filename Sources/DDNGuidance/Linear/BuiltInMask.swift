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

  private static func isLetterS(_ row: Int, _ column: Int, _ height: Int, _ width: Int) -> Bool { false }
}
