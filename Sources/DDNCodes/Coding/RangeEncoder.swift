/// Writes choices in close to their information, -log2 of their probability: an arithmetic coder on integers.
///
/// The message is a number in an interval that every choice narrows to its share. Shares that are powers of two narrow it
/// exactly, so that uniform choices among 2^n nodes take n bits each.
///
/// Source: Martin, "Range encoding" (1979).
public struct RangeEncoder {
  /// The digits of the interval's lower end that can change only by a carry.
  public private(set) var bytes: [UInt8] = []
  /// The rest of the lower end, below `one`.
  private var low: UInt64 = 0
  /// The interval's size, in `one >> 8 < size <= one`.
  private var size = one

  /// The interval's unit: 7 bytes, so that 8 bits remain for carries.
  static let one: UInt64 = 1 << 56
  /// The greatest sum of frequencies.
  static let maxTotal: UInt64 = 1 << 32

  public init() {}

  /// Writes a choice of probability `frequency / total`.
  ///
  /// - Parameters:
  ///   - start: the sum of the frequencies of the choices before it.
  ///   - frequency: of the choice, at least 1.
  ///   - total: the sum of all frequencies, at most 2^32.
  @inline(__always)
  public mutating func encode(start: UInt64, frequency: UInt64, total: UInt64) {
    precondition(frequency > 0 && start + frequency <= total && total <= Self.maxTotal, "no such choice")
    narrow(start: start, frequency: frequency, total: total)
  }

  /// Writes a choice among equally likely ones.
  ///
  /// - Parameters:
  ///   - choice: below `count`.
  ///   - count: of choices, at most 2^32.
  @inline(__always)
  public mutating func encode(_ choice: Int, of count: Int) {
    encode(start: UInt64(choice), frequency: 1, total: UInt64(count))
  }

  /// Writes a choice with given frequencies.
  ///
  /// - Parameters:
  ///   - choice: its place among them.
  ///   - frequencies: each at least 1, their sum at most 2^32.
  public mutating func encode(_ choice: Int, frequencies: ArraySlice<UInt32>) {
    var (start, total): (UInt64, UInt64) = (0, 0)
    for (place, frequency) in frequencies.enumerated() {
      if place < choice { start += UInt64(frequency) }
      total += UInt64(frequency)
    }
    encode(start: start, frequency: UInt64(frequencies[frequencies.startIndex + choice]), total: total)
  }

  @inline(__always)
  private mutating func narrow(start: UInt64, frequency: UInt64, total: UInt64) {
    let unit = size / total
    low += unit * start
    // The last choice takes what the division leaves.
    size = start + frequency == total ? size - unit * start : unit * frequency
    if low >= Self.one { carry() }
    while size <= Self.one >> 8 {
      bytes.append(UInt8(truncatingIfNeeded: low >> 48))
      low = (low & (Self.one >> 8 - 1)) << 8
      size <<= 8
    }
  }

  private mutating func carry() {
    low -= Self.one
    var place = bytes.count - 1
    while bytes[place] == 255 {
      bytes[place] = 0
      place -= 1
    }
    bytes[place] += 1
  }

  /// The message, with as few bytes as denote a number in the interval when zeros follow.
  public consuming func finish() -> [UInt8] {
    for count in 0...7 {
      let rest = Self.one >> (8 * UInt64(count)) - 1
      let number = (low + rest) & ~rest
      guard number - low < size else { continue }
      if number >= Self.one {
        low = number
        carry()
      } else {
        low = number
      }
      for place in 0..<count { bytes.append(UInt8(truncatingIfNeeded: low >> (48 - 8 * UInt64(place)))) }
      return bytes
    }
    preconditionFailure("an interval holds its lower end")
  }
}
