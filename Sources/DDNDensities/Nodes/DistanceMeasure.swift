/// The distance between node and sample.
public enum DistanceMeasure: String, CaseIterable, Codable, Sendable {
  /// Sum of absolute differences, as in the original program's example.
  case l1
  /// Squared distance, as in the paper.
  case l2
}

/// A distance that increases with |dx| and |dy|; a type, so that loops are specialized.
protocol Distance {
  /// Four distances, from the coordinates' differences.
  static func of(_ dx: SIMD4<Float>, _ dy: SIMD4<Float>) -> SIMD4<Float>
  /// A lower bound on the distance of points that differ by at least `gap` in one coordinate.
  static func least(gap: Float) -> Float
}

extension Distance {
  static func of(_ difference: SIMD2<Float>) -> Float {
    of(SIMD4(repeating: difference.x), SIMD4(repeating: difference.y))[0]
  }
}

enum Manhattan: Distance {
  @inline(__always)
  static func of(_ dx: SIMD4<Float>, _ dy: SIMD4<Float>) -> SIMD4<Float> { magnitude(dx) + magnitude(dy) }
  @inline(__always)
  static func least(gap: Float) -> Float { gap }

  @inline(__always)
  private static func magnitude(_ values: SIMD4<Float>) -> SIMD4<Float> {
    unsafeBitCast(unsafeBitCast(values, to: SIMD4<UInt32>.self) & 0x7FFF_FFFF, to: SIMD4<Float>.self)
  }
}

enum SquaredEuclidean: Distance {
  @inline(__always)
  static func of(_ dx: SIMD4<Float>, _ dy: SIMD4<Float>) -> SIMD4<Float> { dx * dx + dy * dy }
  @inline(__always)
  static func least(gap: Float) -> Float { gap * gap }
}
