/// Reads what `RangeEncoder` wrote, given the same frequencies.
///
/// Any bytes decode to some choices; whether they are the right ones is for a checksum to say.
public struct RangeDecoder {
  private let bytes: [UInt8]
  private var next = 0
  /// The message less the interval's lower end, below `size`.
  private var offset: UInt64 = 0
  private var size = RangeEncoder.one
  /// Continues the message after its end.
  private let filler: UInt8

  /// - Parameters:
  ///   - bytes: the message.
  ///   - filler: the bytes after its end.
  public init(_ bytes: [UInt8], filler: UInt8 = 0) {
    self.bytes = bytes
    self.filler = filler
    for _ in 0..<7 { offset = offset << 8 | UInt64(read()) }
  }

  @inline(__always)
  private mutating func read() -> UInt8 {
    guard next < bytes.count else { return filler }
    next += 1
    return bytes[next - 1]
  }

  /// Reads a choice among equally likely ones.
  @inline(__always)
  public mutating func decode(of count: Int) -> Int {
    let total = UInt64(count)
    let unit = size / total
    let choice = min(offset / unit, total - 1)
    narrow(unit: unit, start: choice, frequency: 1, total: total)
    return Int(choice)
  }

  /// Reads a choice with given frequencies.
  ///
  /// - Parameter frequencies: each at least 1, their sum at most 2^32.
  public mutating func decode(_ frequencies: some RandomAccessCollection<UInt32>) -> Int {
    let total = frequencies.reduce(UInt64(0)) { $0 + UInt64($1) }
    let unit = size / total
    let place = min(offset / unit, total - 1)
    var start: UInt64 = 0
    var choice = 0
    for frequency in frequencies {
      guard start + UInt64(frequency) <= place else {
        narrow(unit: unit, start: start, frequency: UInt64(frequency), total: total)
        return choice
      }
      start += UInt64(frequency)
      choice += 1
    }
    preconditionFailure("a place below the total has a choice")
  }

  @inline(__always)
  private mutating func narrow(unit: UInt64, start: UInt64, frequency: UInt64, total: UInt64) {
    offset -= unit * start
    size = start + frequency == total ? size - unit * start : unit * frequency
    while size <= RangeEncoder.one >> 8 {
      offset = offset << 8 | UInt64(read())
      size <<= 8
    }
  }
}
