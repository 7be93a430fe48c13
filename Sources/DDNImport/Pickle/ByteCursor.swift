import Foundation

/// A place in bytes, from which numbers and pieces are taken; what is not there is an error.
struct ByteCursor {
  private let data: Data
  /// Counted from the first byte.
  private(set) var position: Int

  init(_ data: Data, at position: Int = 0) {
    self.data = data
    self.position = min(position, data.count)
  }

  var remaining: Int { data.count - position }

  /// The next byte, which stays the next.
  var next: UInt8? { remaining > 0 ? data[data.startIndex + position] : nil }

  /// - Parameter what: names what is read in the error.
  mutating func take(_ count: UInt64, _ what: String) throws(ImportProblem) -> Data {
    guard count <= UInt64(remaining) else {
      throw ImportProblem("ends after \(remaining) of the \(count) bytes of \(what) at byte \(position)")
    }
    let start = data.startIndex + position
    position += Int(count)
    return data[start..<start + Int(count)]
  }

  mutating func byte(_ what: String) throws(ImportProblem) -> UInt8 {
    guard let byte = next else { throw ImportProblem("ends within \(what) at byte \(position)") }
    position += 1
    return byte
  }

  mutating func uint16(_ what: String) throws(ImportProblem) -> UInt16 { UInt16(try number(2, what)) }
  mutating func uint32(_ what: String) throws(ImportProblem) -> UInt32 { UInt32(try number(4, what)) }
  mutating func uint64(_ what: String) throws(ImportProblem) -> UInt64 { try number(8, what) }

  /// Little-endian.
  private mutating func number(_ count: Int, _ what: String) throws(ImportProblem) -> UInt64 {
    var number = UInt64(0)
    for (place, byte) in try take(UInt64(count), what).enumerated() { number |= UInt64(byte) << (8 * place) }
    return number
  }

  /// A line of ASCII, without its end.
  mutating func line(_ what: String) throws(ImportProblem) -> String {
    var line: [UInt8] = []
    while true {
      let byte = try byte(what)
      if byte == UInt8(ascii: "\n") { break }
      guard (0x20..<0x7F).contains(byte), line.count < 200 else { throw ImportProblem("has no plain line for \(what)") }
      line.append(byte)
    }
    return String(decoding: line, as: UTF8.self)
  }
}
