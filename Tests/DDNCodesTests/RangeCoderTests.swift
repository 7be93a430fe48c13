import DDNCodes
import Foundation
import Testing

@Suite("Range coder") struct RangeCoderTests {
  @Test("uniform choices among powers of two take exactly their bits", arguments: [1, 2, 64, 512, 65_536])
  func powers(count: Int) {
    var random = SystemRandomNumberGenerator()
    for length in [1, 2, 3, 7, 22, 100] {
      let choices = (0..<length).map { _ in Int.random(in: 0..<count, using: &random) }
      var encoder = RangeEncoder()
      for choice in choices { encoder.encode(choice, of: count) }
      let bytes = encoder.finish()
      let bits = length * count.trailingZeroBitCount
      #expect(bytes.count <= (bits + 7) / 8)
      var decoder = RangeDecoder(bytes)
      #expect(choices == choices.map { _ in decoder.decode(of: count) })
    }
  }

  @Test("choices with any frequencies come back, in at most 0.01 % and two bytes more than their information")
  func frequencies() {
    var random = SystemRandomNumberGenerator()
    var encoder = RangeEncoder()
    var written: [(choice: Int, frequencies: [UInt32])] = []
    var information = 0.0
    for _ in 0..<5000 {
      let nodes = Int.random(in: 1...600, using: &random)
      let scale = UInt32(1) << UInt32.random(in: 0...20, using: &random)
      let frequencies = (0..<nodes).map { _ in UInt32.random(in: 1...scale, using: &random) }
      let choice = Int.random(in: 0..<nodes, using: &random)
      information += log2(Double(frequencies.reduce(0, +)) / Double(frequencies[choice]))
      encoder.encode(choice, frequencies: frequencies[...])
      written.append((choice, frequencies))
    }
    let bytes = encoder.finish()
    #expect(Double(bytes.count * 8) <= information * 1.0001 + 16)
    var decoder = RangeDecoder(bytes)
    #expect(written.allSatisfy { decoder.decode($0.frequencies) == $0.choice })
  }

  @Test("carries pass through any number of full bytes")
  func carries() {
    // The middle third of a thousandfold interval: its lower end is 0.010101..., so sums overflow again and again.
    for choices in [Array(repeating: 1, count: 1000), Array(repeating: 2, count: 1000) + [0, 2, 2]] {
      var encoder = RangeEncoder()
      for choice in choices { encoder.encode(choice, of: 3) }
      for choice in choices { encoder.encode(start: UInt64(choice), frequency: 1 << 20, total: 1 << 20 + 2) }
      let bytes = encoder.finish()
      var decoder = RangeDecoder(bytes)
      #expect(choices.allSatisfy { decoder.decode(of: 3) == $0 })
    }
  }

  @Test("a choice of probability near 1 is nearly free")
  func certain() {
    var encoder = RangeEncoder()
    for _ in 0..<100_000 { encoder.encode(1, frequencies: [1, 1 << 31, 1]) }
    #expect(encoder.finish().count <= 2)
  }

  @Test("any bytes decode to choices in range", arguments: 0..<20)
  func noise(seed: Int) {
    let bytes = (0..<seed * 3).map { UInt8(truncatingIfNeeded: $0 &* 197 &+ seed &* 31) }
    var decoder = RangeDecoder(bytes)
    for round in 0..<200 {
      #expect((0..<3).contains(decoder.decode([1, UInt32(round + 1), 7])))
      #expect((0..<100).contains(decoder.decode(of: 100)))
    }
  }
}
