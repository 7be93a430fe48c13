import Foundation
import Images

/// A gray image of floating-point values; light is high density.
struct Canvas {
  let height: Int
  let width: Int
  /// `[height * width]`, row by row from the top.
  var values: [Double]

  init(height: Int, width: Int, values: [Double]) {
    self.height = height
    self.width = width
    self.values = values
  }

  /// The values of a function of (row, column).
  init(height: Int, width: Int, _ value: (Int, Int) -> Double) {
    self.init(
      height: height, width: width, values: (0..<height * width).map { value($0 / width, $0 % width) })
  }

  /// From rows of text of one length: `ink` for `#`, `paper` elsewhere.
  init(rows: [String], ink: Double, paper: Double) {
    self.init(
      height: rows.count, width: rows[0].count, values: rows.flatMap { $0.map { $0 == "#" ? ink : paper } })
  }

  /// Padded by `margin` values of `shade` on all sides.
  func padded(by margin: Int, shade: Double) -> Canvas {
    Canvas(height: height + 2 * margin, width: width + 2 * margin) { row, column in
      let (row, column) = (row - margin, column - margin)
      return (0..<height).contains(row) && (0..<width).contains(column) ? values[row * width + column] : shade
    }
  }

  /// Resized by area averaging.
  func resized(height newHeight: Int, width newWidth: Int) -> Canvas {
    Canvas(
      height: newHeight, width: newWidth,
      values: BoxFilter.resize(from: (height, width), to: (newHeight, newWidth)) { values[$0] })
  }

  /// Gaussian blur with a kernel of `size` values, OpenCV's default sigma for it, and mirrored edges.
  ///
  /// - Parameter size: odd.
  func blurred(size: Int) -> Canvas {
    let sigma = 0.3 * (Double(size - 1) / 2 - 1) + 0.8
    let reach = size / 2
    let bell = (-reach...reach).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let sum = bell.reduce(0, +)
    func blur(_ source: Canvas, _ place: (Int, Int, Int) -> Int) -> Canvas {
      Canvas(height: height, width: width) { row, column in
        (-reach...reach).reduce(0) { $0 + bell[$1 + reach] / sum * source.values[place(row, column, $1)] }
      }
    }
    let across = blur(self) { $0 * width + Self.mirrored($1 + $2, within: width) }
    return blur(across) { Self.mirrored($0 + $2, within: height) * width + $1 }
  }

  /// Reflection padding without repeating the edge.
  private static func mirrored(_ index: Int, within count: Int) -> Int {
    guard count > 1 else { return 0 }
    let period = 2 * (count - 1)
    let place = ((index % period) + period) % period
    return place < count ? place : period - place
  }
}
