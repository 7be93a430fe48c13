/// The generator behind `torch.Generator` on the CPU and numpy's `RandomState`: the same seed gives the same numbers.
///
/// - Source: Matsumoto and Nishimura, "Mersenne Twister" (1998), MT19937 with `init_genrand`.
public struct MersenneTwister: Sendable {
  private static let size = 624
  private static let shift = 397

  private var words: [UInt32]
  private var used = MersenneTwister.size

  /// - Parameter seed: only the low 32 bits count, as in PyTorch; numpy refuses larger ones.
  public init(seed: UInt64) {
    words = [UInt32(truncatingIfNeeded: seed)]
    words.reserveCapacity(Self.size)
    for index in 1..<Self.size {
      let previous = words[index - 1]
      words.append(1_812_433_253 &* (previous ^ previous >> 30) &+ UInt32(index))
    }
  }

  /// The next 32 random bits.
  public mutating func next() -> UInt32 {
    if used == Self.size { twist() }
    var word = words[used]
    used += 1
    word ^= word >> 11
    word ^= word << 7 & 0x9D2C_5680
    word ^= word << 15 & 0xEFC6_0000
    return word ^ word >> 18
  }

  /// A number in `0..<1` from 24 bits, equal to `torch.rand` in float32 on the CPU.
  public mutating func uniform() -> Float { Float(next() & 0xFF_FFFF) * 0x1p-24 }

  /// An integer in `0..<bound`, equal to `RandomState.randint(bound)`; a bound of 1 draws nothing.
  ///
  /// - Parameter bound: 1 to 2^32.
  /// - Source: numpy's legacy bounded integers: masked rejection sampling.
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound >= 1 && bound - 1 <= Int(UInt32.max), "a bound of 1 to 2^32, not \(bound)")
    let largest = UInt32(bound - 1)
    if largest == 0 { return 0 }
    let mask = UInt32.max >> largest.leadingZeroBitCount
    while true {
      let value = next() & mask
      if value <= largest { return Int(value) }
    }
  }

  private mutating func twist() {
    for index in 0..<Self.size {
      let mixed = words[index] & 0x8000_0000 | words[(index + 1) % Self.size] & 0x7FFF_FFFF
      let odd: UInt32 = mixed & 1 == 1 ? 0x9908_B0DF : 0
      words[index] = words[(index + Self.shift) % Self.size] ^ mixed >> 1 ^ odd
    }
    used = 0
  }
}
