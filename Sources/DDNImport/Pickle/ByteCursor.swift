import Foundation

/// Reads bytes and little-endian numbers in order; reading past the end is an error.
///
/// `what` names the item in error messages.
struct ByteCursor {
  private let data: Data
  private(set) var position: Int

  init(_ data: Data, at position: Int = 0) {
    self.data = data
    self.position = min(position, data.count)
  }

  var remaining: Int { data.count - position }

  /// The next byte, not consumed.
  var next: UInt8? { remaining > 0 ? data[data.startIndex + position] : nil }

  mutating func take(_ count: UInt64, _ what: String) throws(ImportError) -> Data {
    guard count <= UInt64(remaining) else {
      throw ImportError("ends after \(remaining) of the \(count) bytes of \(what) at byte \(position)")
    }
    let start = data.startIndex + position
    position += Int(count)
    return data[start..<start + Int(count)]
  }

  mutating func byte(_ what: String) throws(ImportError) -> UInt8 {
    guard let byte = next else { throw ImportError("ends within \(what) at byte \(position)") }
    position += 1
    return byte
  }

  mutating func uint16(_ what: String) throws(ImportError) -> UInt16 { UInt16(try number(2, what)) }
  mutating func uint32(_ what: String) throws(ImportError) -> UInt32 { UInt32(try number(4, what)) }
  mutating func uint64(_ what: String) throws(ImportError) -> UInt64 { try number(8, what) }

  private mutating func number(_ count: Int, _ what: String) throws(ImportError) -> UInt64 {
    var number = UInt64(0)
    for (place, byte) in try take(UInt64(count), what).enumerated() { number |= UInt64(byte) << (8 * place) }
    return number
  }

  /// A line of printable ASCII, without the line feed.
  mutating func line(_ what: String) throws(ImportError) -> String {
    var line: [UInt8] = []
    while true {
      let byte = try byte(what)
      if byte == UInt8(ascii: "\n") { break }
      guard (0x20..<0x7F).contains(byte), line.count < 200 else { throw ImportError("\(what) is not a line of ASCII") }
      line.append(byte)
    }
    return String(decoding: line, as: UTF8.self)
  }
}
