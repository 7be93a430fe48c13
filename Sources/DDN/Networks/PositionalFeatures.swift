import Foundation

/// Fixed positional and class embeddings, without parameters or randomness.
///
/// Published weights depend on these numbers, so the original's mistakes are kept and marked. Arrays are row-major and
/// agree with the original within 1.2e-7 (sine and cosine are rounded once here).
public enum PositionalFeatures {
  /// `[count]` values evenly spaced from -1 to 1; a single value is -1.
  ///
  /// Two halves and a fused multiply-add: this is how libtorch's `linspace` rounds.
  public static func ramp(count: Int) -> [Float] {
    precondition(count >= 1, "a ramp needs at least 1 value, not \(count)")
    guard count > 1 else { return [-1] }
    let step = 2 / Float(count - 1)
    return (0..<count).map { index in
      index < count / 2
        ? Float(-1).addingProduct(step, Float(index))
        : Float(1).addingProduct(-step, Float(count - 1 - index))
    }
  }

  /// `[positions, channels]`, the original's table of sines and cosines.
  ///
  /// - Parameters:
  ///   - positions: at least 2.
  ///   - channels: at least 1.
  public static func sinusoidalTable(positions: Int, channels: Int) -> [Float] {
    precondition(
      positions >= 2 && channels >= 1,
      "a sinusoidal table needs 2 positions and 1 channel, not \(positions) and \(channels)")
    var table: [Float] = []
    table.reserveCapacity(positions * channels)
    // The original's exponent runs over all channels; the usual table has one angle per pair of channels.
    for position in 0..<positions {
      for channel in 0..<channels {
        let wavelength = pow(10000, Double(2 * channel) / Double(channels))
        table.append(Float(Double(position) / wavelength))
      }
    }
    // Even rows instead of even channels: the original indexes the wrong axis.
    let even = stride(from: 0, to: positions, by: 2)
    for row in even {
      for index in row * channels..<(row + 1) * channels { table[index] = Float(sin(Double(table[index]))) }
    }
    // The original writes the cosine of row r, already a sine, to row 1 - r (counted from the end when negative)
    // instead of the cosine of the angle to row r + 1. With an odd number of positions the targets are even rows, so
    // odd rows from 3 on keep bare angles. All values are read before any is written.
    let sines = table
    for row in even {
      let target = row <= 1 ? 1 - row : positions + 1 - row
      for channel in 0..<channels {
        table[target * channels + channel] = Float(cos(Double(sines[row * channels + channel])))
      }
    }
    return table
  }

  /// `[channels, height, width]`, the input features of the pyramid's first level.
  ///
  /// A sinusoidal table plus a ramp in four rotations on the last four channels; a single row of pixels is a ramp only.
  /// - Parameters:
  ///   - channels: at least 4, or any number if `height` is 1.
  ///   - height: equal to `width`, or 1.
  ///   - width: equal to `height`, or any if `height` is 1.
  public static func initialFeature(channels: Int, height: Int, width: Int) -> [Float] {
    precondition(
      channels >= 1 && width >= 1 && (height == 1 || (height == width && channels >= 4)),
      "an initial feature is square with at least 4 channels, or 1 pixel high, "
        + "not [\(channels), \(height), \(width)]")
    if height == 1 { return ramp(count: channels * width) }
    let pixels = height * width
    let table = sinusoidalTable(positions: pixels, channels: channels)
    var feature: [Float] = []
    feature.reserveCapacity(channels * pixels)
    for channel in 0..<channels {  // [H * W, C] -> [C, H, W]
      for pixel in 0..<pixels { feature.append(table[pixel * channels + channel]) }
    }
    let ramp = ramp(count: pixels)
    for turns in 0..<4 {
      let start = (channels - 4 + turns) * pixels
      for (pixel, value) in rotated(ramp[...], side: width, quarterTurns: turns).enumerated() {
        feature[start + pixel] += value
      }
    }
    return feature
  }

  /// A ramp over all elements of `shape`, the positional input of the recurrent network.
  ///
  /// For `[C, H, W]`, channel `c` is rotated by `c` quarter turns if square, else flipped; every fourth channel is
  /// unchanged. Other shapes are a plain ramp.
  /// - Parameter shape: at least one axis, none empty.
  public static func linearEmbedding(shape: [Int]) -> [Float] {
    precondition(
      !shape.isEmpty && shape.allSatisfy { $0 >= 1 }, "\(shape) is not a shape of a linear embedding")
    let ramp = ramp(count: shape.reduce(1, *))
    guard shape.count == 3 else { return ramp }
    let (height, width) = (shape[1], shape[2])
    return (0..<shape[0]).flatMap { channel in
      let map = ramp[channel * height * width..<(channel + 1) * height * width]
      return height == width
        ? rotated(map, side: width, quarterTurns: channel % 4)
        : flipped(
          map, height: height, width: width,
          vertically: [1, 3].contains(channel % 4), horizontally: [2, 3].contains(channel % 4))
    }
  }

  /// `[classes, digits]`, each class number in base 4, most significant digit first, digits 0...3 mapped evenly to [-1,
  /// 1]; `digits` is `classEmbeddingLength(classes:)`.
  ///
  /// - Parameter classes: at least 2.
  public static func classEmbedding(classes: Int) -> [Float] {
    let digits = classEmbeddingLength(classes: classes)
    let levels = ramp(count: 4)
    var table: [Float] = []
    for label in 0..<classes {
      for digit in (0..<digits).reversed() { table.append(levels[label >> (2 * digit) & 3]) }
    }
    // Class 0 is zeros instead of -1: a missing label is class 0 and must add nothing.
    for index in 0..<digits { table[index] = 0 }
    return table
  }

  /// The number of base-4 digits of `classes` classes: 1 for 2 to 4, 2 for 5 to 16, 5 for 1000.
  public static func classEmbeddingLength(classes: Int) -> Int {
    precondition(classes >= 2, "a class embedding needs at least 2 classes, not \(classes)")
    return String(classes - 1, radix: 4).count
  }

  /// A square map `[side, side]` rotated counter-clockwise.
  private static func rotated(_ map: ArraySlice<Float>, side: Int, quarterTurns: Int) -> [Float] {
    var result = Array(map)
    for _ in 0..<quarterTurns {
      let before = result
      for row in 0..<side {
        for column in 0..<side { result[row * side + column] = before[column * side + side - 1 - row] }
      }
    }
    return result
  }

  /// A map `[height, width]` flipped along either axis.
  private static func flipped(
    _ map: ArraySlice<Float>, height: Int, width: Int, vertically: Bool, horizontally: Bool
  ) -> [Float] {
    (0..<height * width).map { pixel in
      let row = vertically ? height - 1 - pixel / width : pixel / width
      let column = horizontally ? width - 1 - pixel % width : pixel % width
      return map[map.startIndex + row * width + column]
    }
  }
}
