import Images

/// The colour map viridis, from dark blue to yellow with increasing brightness.
///
/// Source: Stéfan van der Walt and Nathaniel Smith (matplotlib, CC0); nine of its colours, linearly interpolated.
enum Viridis {
  private static let anchors: [SIMD3<Double>] = [
    [68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99],
    [170, 220, 50], [253, 231, 37],
  ]

  /// The colour of a value, clamped to 0...1.
  static func colour(_ value: Double) -> [UInt8] {
    let place = min(max(value, 0), 1) * Double(anchors.count - 1)
    let index = min(Int(place), anchors.count - 2)
    let colour = anchors[index] + (anchors[index + 1] - anchors[index]) * (place - Double(index))
    return (0..<3).map { UInt8(colour[$0].rounded()) }
  }

  /// An image of values; `top` and above are yellow.
  static func bitmap(_ values: [Double], height: Int, width: Int, top: Double) -> Bitmap {
    Bitmap(width: width, height: height, channels: 3, pixels: values.flatMap { colour($0 / top) })
  }
}
