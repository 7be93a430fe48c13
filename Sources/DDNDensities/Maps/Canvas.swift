import Foundation

/// A gray picture in the making: light values become density.
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

  /// A picture of what `value` gives at every (row, column).
  init(height: Int, width: Int, _ value: (Int, Int) -> Double) {
    self.init(
      height: height, width: width, values: (0..<height * width).map { value($0 / width, $0 % width) })
  }

  /// A picture from rows of text of one length: `ink` where there is `#`, `paper` elsewhere.
  init(rows: [String], ink: Double, paper: Double) {
    self.init(
      height: rows.count, width: rows[0].count, values: rows.flatMap { $0.map { $0 == "#" ? ink : paper } })
  }

  /// The picture with `margin` values of `shade` around it.
  func padded(by margin: Int, shade: Double) -> Canvas {
    Canvas(height: height + 2 * margin, width: width + 2 * margin) { row, column in
      let (row, column) = (row - margin, column - margin)
      return (0..<height).contains(row) && (0..<width).contains(column) ? values[row * width + column] : shade
    }
  }

  /// The picture at another size: every new value is the mean of the area that it covers.
  func resized(height newHeight: Int, width newWidth: Int) -> Canvas {
    let acrossRows = Self.overlaps(from: width, to: newWidth)
    let downColumns = Self.overlaps(from: height, to: newHeight)
    let narrow = Canvas(height: height, width: newWidth) { row, column in
      acrossRows[column].reduce(0) { $0 + $1.share * values[row * width + $1.index] }
    }
    return Canvas(height: newHeight, width: newWidth) { row, column in
      downColumns[row].reduce(0) { $0 + $1.share * narrow.values[$1.index * newWidth + column] }
    }
  }

  /// For each of `to` equal parts of a line, which of its `from` parts it covers, and by what share.
  private static func overlaps(from: Int, to: Int) -> [[(index: Int, share: Double)]] {
    let scale = Double(from) / Double(to)
    return (0..<to).map { part in
      let (start, end) = (Double(part) * scale, Double(part + 1) * scale)
      return (Int(start)..<min(Int(end.rounded(.up)), from)).compactMap { index in
        let covered = min(end, Double(index + 1)) - max(start, Double(index))
        return covered > 0 ? (index, covered / scale) : nil
      }
    }
  }

  /// Blurred by a Gaussian of `size` values across, as OpenCV chooses its width; the edge mirrors the inside.
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

  /// Reflects an index at the first and the last one, which are not repeated.
  private static func mirrored(_ index: Int, within count: Int) -> Int {
    guard count > 1 else { return 0 }
    let period = 2 * (count - 1)
    let place = ((index % period) + period) % period
    return place < count ? place : period - place
  }
}
