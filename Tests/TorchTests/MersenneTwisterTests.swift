import GoldenSupport
import Testing
import Torch

@Suite struct MersenneTwisterTests {
  @Test func uniformNumbersEqualTorchRandBitForBit() throws {
    let golden = try Golden.safetensors("A/torch_rand.safetensors")
    #expect(golden.entries.count >= 15)
    for name in golden.entries.keys {
      let seed = try #require(UInt64(name.dropFirst("rand_seed".count)))
      var generator = MersenneTwister(seed: seed)
      let expected = try golden.floats(name)
      let made = expected.map { _ in generator.uniform() }
      #expect(made.map(\.bitPattern) == expected.map(\.bitPattern), "seed \(seed)")
    }
  }

  /// `std::mt19937` promises this value for its 10,000th number.
  @Test func theTenThousandthNumberOfSeed5489IsTheStandards() {
    var generator = MersenneTwister(seed: 5489)
    for _ in 0..<9_999 { _ = generator.next() }
    #expect(generator.next() == 4_123_659_995)
  }

  /// `r = numpy.random.RandomState(1); [r.randint(b) for b in (1, 2, 3, 7, 8, 10, 1000, 65536, 65537, 10**9, 2**32)]`
  @Test func boundedNumbersEqualNumpysRandint() {
    var generator = MersenneTwister(seed: 1)
    let bounds = [1, 2, 3, 7, 8, 10, 1_000, 65_536, 65_537, 1_000_000_000, 1 << 32]
    #expect(bounds.map { generator.below($0) } == [0, 1, 0, 0, 7, 9, 715, 7813, 21440, 396_591_248, 1_703_301_249])
  }

  @Test func aBoundOfOneDrawsNothing() {
    var generator = MersenneTwister(seed: 3)
    var untouched = generator
    #expect(generator.below(1) == 0)
    #expect(generator.next() == untouched.next())
  }
}
