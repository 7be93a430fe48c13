import Foundation

/// Built-in densities.
///
/// Gaussian, blurred circles and uniform follow the original's formulas; QR code, spiral and words resemble its drawings.
/// Source: paper, Figures 5 and 19.
public enum Density: String, CaseIterable, Sendable {
  case gaussian
  case blurredCircles = "blurred-circles"
  case qrCode = "qr-code"
  case spiral
  case words
  case uniform

  /// In the order of the original's animation.
  public static let sequence: [Density] = [.gaussian, .blurredCircles, .qrCode, .spiral, .words, .gaussian, .uniform]

  /// The density over `bins` x `bins` bins.
  public func map(bins: Int) -> DensityMap {
    let canvas =
      switch self {
      case .gaussian: Self.gaussian(bins)
      case .blurredCircles: Self.blurredCircles(bins)
      case .qrCode:
        Canvas(rows: qrCodeRows, ink: 0, paper: 1).padded(by: 4, shade: 1).resized(height: bins, width: bins)
      case .spiral: Self.spiral(4 * bins).resized(height: bins, width: bins)
      case .words: Lettering.words.resized(height: bins, width: bins)
      case .uniform: Canvas(height: bins, width: bins) { _, _ in 1 }
      }
    return DensityMap(name: rawValue, height: bins, width: bins, weights: canvas.values)
  }

  /// Isotropic, variance 0.15, truncated to the square.
  private static func gaussian(_ bins: Int) -> Canvas {
    func place(_ index: Int) -> Double { bins == 1 ? -1 : -1 + 2 * Double(index) / Double(bins - 1) }
    return Canvas(height: bins, width: bins) { row, column in
      exp(-(place(row) * place(row) + place(column) * place(column)) / 0.3)
    }
  }

  /// Five rings, sharp in the top left quadrant and increasingly blurred in the other three.
  private static func blurredCircles(_ bins: Int) -> Canvas {
    let places = [bins / 4, bins * 3 / 4]
    let centres = [(bins / 2, bins / 2)] + places.flatMap { row in places.map { (row, $0) } }
    let (outer, inner) = (bins / 10, bins / 10 / 2)
    let sharp = Canvas(height: bins, width: bins) { row, column in
      let isInRing = centres.contains { centre in
        let distance = (row - centre.0) * (row - centre.0) + (column - centre.1) * (column - centre.1)  // Squared.
        return distance > inner * inner && distance <= outer * outer
      }
      return isInRing ? 128 : 0
    }
    let half = bins / 2
    // The original draws 8-bit images, hence the rounding.
    let (slight, medium, strong) = (
      sharp.blurred(size: bins / 40 * 2 + 1), sharp.blurred(size: bins / 10 * 2 + 1),
      sharp.blurred(size: Int(Double(bins) / 2.5 * 2 + 1) | 1)
    )
    return Canvas(height: bins, width: bins) { row, column in
      let source = row < half ? (column < half ? sharp : slight) : (column < half ? medium : strong)
      return source.values[row * bins + column].rounded()
    }
  }

  /// Archimedean spiral of three turns with a soft stroke.
  private static func spiral(_ side: Int) -> Canvas {
    let (turns, outerRadius, stroke) = (3.0, 0.92, 0.045)
    let spacing = outerRadius / turns
    return Canvas(height: side, width: side) { row, column in
      let x = (2 * Double(column) + 1) / Double(side) - 1
      let y = 1 - (2 * Double(row) + 1) / Double(side)
      let radius = hypot(x, y)
      let angle = atan2(y, x) / (2 * .pi)  // In turns, -0.5...0.5.
      // The nearest arm on this ray.
      let arm = min(max((radius / spacing - angle).rounded(), angle < 0 ? 1 : 0), turns - 1)
      let distance = radius - (arm + angle) * spacing
      return exp(-(distance * distance) / (stroke * stroke))
    }
  }
}

/// "https://arxiv.org/abs/2401.00036", the paper, as a QR code of version 2 with error correction L; `#` is black.
private let qrCodeRows = [
  "#######..#..#.#.#.#######",
  "#.....#.....###.#.#.....#",
  "#.###.#..#..#.#.#.#.###.#",
  "#.###.#.###..#..#.#.###.#",
  "#.###.#.#####...#.#.###.#",
  "#.....#..#..#.....#.....#",
  "#######.#.#.#.#.#.#######",
  "..........#.#.##.........",
  "##...###.....####...##...",
  "....#..#...##.##.#.#####.",
  ".##..##...#.##.##.##.#.##",
  ".#.###.....#...##....#..#",
  "###...#####.#...#.##....#",
  "#..#.#..##.##.####.#...#.",
  "#..#..###.#..#.#...###.##",
  "#.###..####.#..#..##.##.#",
  "#.#.#####....#..#####.#..",
  "........#..###..#...#....",
  "#######.#..##...#.#.#...#",
  "#.....#.##..#.#.#...#...#",
  "#.###.#..##..#.######.#.#",
  "#.###.#..#.##....##......",
  "#.###.#..#..##.......##.#",
  "#.....#.#.#....##..##...#",
  "#######.####..#.#.#..#..#",
]
