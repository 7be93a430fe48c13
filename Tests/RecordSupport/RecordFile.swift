import Foundation

/// A TFRecord file, read without the sources' code: checksums are computed bit by bit.
public struct RecordFile {
  public let payloads: [Data]
  /// Bytes after the last whole record.
  public let tornBytes: Int

  public struct Damaged: Error { let record: Int }

  /// - Throws: `Damaged` for a whole record with a wrong checksum.
  public init(_ bytes: Data) throws {
    var rest = Data(bytes)
    var payloads: [Data] = []
    func number(_ start: Int, _ count: Int) -> UInt64 {
      rest.dropFirst(start).prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    while rest.count >= 12, number(0, 8) <= rest.count - 16 {
      let length = Int(number(0, 8))
      let payload = Data(rest.dropFirst(12).prefix(length))
      guard number(8, 4) == Self.checksum(rest.prefix(8)), number(12 + length, 4) == Self.checksum(payload) else {
        throw Damaged(record: payloads.count)
      }
      payloads.append(payload)
      rest = Data(rest.dropFirst(16 + length))
    }
    self.payloads = payloads
    tornBytes = rest.count
  }

  public init(contentsOf url: URL) throws { try self.init(Data(contentsOf: url)) }

  private static func checksum(_ bytes: Data) -> UInt64 {
    var remainder = UInt32.max
    for byte in bytes {
      for bit in 0..<8 {
        let isOdd = (remainder ^ UInt32(byte) >> bit) & 1 == 1
        remainder = remainder >> 1 ^ (isOdd ? 0x82f6_3b78 : 0)
      }
    }
    let checksum = ~remainder
    return UInt64((checksum >> 15 | checksum << 17) &+ 0xa282_ead8)
  }
}
