/// Frequencies of logits, by integer arithmetic.
///
/// A node whose logit is d below the largest has the frequency 2^(S - d), at least 1: the softmax to base 2. d is
/// rounded to 1/32, which costs less than a ten-thousandth of a bit.
struct FrequencyTable {
  /// Logits are integers in units of 2^-13 bits: of a weight, 2^-6, times an activation, 2^-7.
  private static let stepsPerBit = 32
  /// 2^(31 - i / 32), rounded down.
  private static let mantissas: [UInt32] = [
    2_147_483_648, 2_101_467_501, 2_056_437_386, 2_012_372_173, 1_969_251_187, 1_927_054_195, 1_885_761_398,
    1_845_353_419, 1_805_811_301, 1_767_116_488, 1_729_250_826, 1_692_196_547, 1_655_936_264, 1_620_452_965,
    1_585_729_999, 1_551_751_075, 1_518_500_249, 1_485_961_920, 1_454_120_821, 1_422_962_010, 1_392_470_868,
    1_362_633_089, 1_333_434_672, 1_304_861_916, 1_276_901_416, 1_249_540_052, 1_222_764_985, 1_196_563_653,
    1_170_923_761, 1_145_833_280, 1_121_280_435, 1_097_253_708,
  ]

  /// By the number of steps below the largest logit.
  private let frequencies: [UInt32]

  /// - Parameter nodes: K; the sum of K frequencies is below 2^32.
  init(nodes: Int) {
    let bits = min(24, 31 - (nodes.bitWidth - (nodes - 1).leadingZeroBitCount))
    frequencies = (0...bits * Self.stepsPerBit).map { step in
      max(1, Self.mantissas[step % Self.stepsPerBit] >> (31 - bits + step / Self.stepsPerBit))
    }
  }

  /// Writes the frequencies of one row of logits.
  ///
  /// - Parameters:
  ///   - logits: integers below 2^24 in magnitude.
  ///   - temperature: 256 for the distribution as learned; larger ones are closer to uniform.
  ///   - row: receives K frequencies.
  func write(_ logits: UnsafeBufferPointer<Float>, temperature: Int, to row: UnsafeMutablePointer<UInt32>) {
    var largest = Int.min
    for logit in logits { largest = max(largest, Int(logit)) }
    for (node, logit) in logits.enumerated() {
      let step = (largest - Int(logit) + temperature / 2) / temperature
      row[node] = frequencies[min(step, frequencies.count - 1)]
    }
  }
}
