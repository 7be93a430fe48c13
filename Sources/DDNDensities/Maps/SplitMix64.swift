/// A small, fast, portable random number generator.
///
/// Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  /// - Parameter stream: generators with different streams are independent.
  init(seed: UInt64, stream: UInt64 = 0) {
    state = seed
    var mixer = SplitMix64(state: seed ^ 0xD1B5_4A32_D192_ED03 &* (stream &+ 1))
    state = mixer.next()
  }

  private init(state: UInt64) { self.state = state }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }

  /// Uniform in [0, 1) x [0, 1).
  @inline(__always)
  mutating func unitPoint() -> SIMD2<Float> {
    let word = next()
    return SIMD2(Float(word >> 40) * 0x1p-24, Float(word & 0xFF_FFFF) * 0x1p-24)
  }
}
