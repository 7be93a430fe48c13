/// Resizes by area averaging: each new sample is the mean over the area that it covers.
public enum BoxFilter {
  /// - Parameters:
  ///   - sample: the value at an index into `[old.height, old.width, channels]`.
  ///   - old: width and height before.
  ///   - channels: C.
  ///   - new: width and height after.
  /// - Returns: `[new.height, new.width, channels]`.
  @inline(__always)
  public static func resize(
    from old: (height: Int, width: Int), to new: (height: Int, width: Int), channels: Int = 1,
    sample: (Int) -> Double
  ) -> [Double] {
    let columns = overlaps(from: old.width, to: new.width)
    let rows = overlaps(from: old.height, to: new.height)
    let rowLength = new.width * channels
    var narrowed = [Double](repeating: 0, count: old.height * rowLength)  // [old.height, new.width, channels]
    for row in 0..<old.height {
      for column in 0..<new.width {
        let target = row * rowLength + column * channels
        for (index, share) in columns[column] {
          let source = (row * old.width + index) * channels
          for channel in 0..<channels { narrowed[target + channel] += share * sample(source + channel) }
        }
      }
    }
    var resized = [Double](repeating: 0, count: new.height * rowLength)
    for row in 0..<new.height {
      for (index, share) in rows[row] {
        for place in 0..<rowLength { resized[row * rowLength + place] += share * narrowed[index * rowLength + place] }
      }
    }
    return resized
  }

  /// For each of `to` equal parts of a line, the overlapped ones of `from` equal parts, with shares that sum to 1.
  private static func overlaps(from: Int, to: Int) -> [[(index: Int, share: Double)]] {
    let scale = Double(from) / Double(to)
    return (0..<to).map { part in
      let (start, end) = (Double(part) * scale, Double(part + 1) * scale)
      return (Int(start)..<min(Int(end.rounded(.up)), from)).map { index in
        (index, (min(end, Double(index + 1)) - max(start, Double(index))) / scale)
      }
    }
  }
}
