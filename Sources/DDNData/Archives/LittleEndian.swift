import Foundation

/// Little-endian numbers at places counted from a start; reading beyond the data is a fault of the program.
struct LittleEndian {
  private let data: Data
  private let start: Int

  init(_ data: Data, from start: Int) {
    self.data = data
    self.start = start
  }

  func uint16(_ offset: Int) -> UInt16 { load(offset) }
  func uint32(_ offset: Int) -> UInt32 { load(offset) }
  func uint64(_ offset: Int) -> UInt64 { load(offset) }

  func bytes(_ offset: Int, _ count: Int) -> Data { data[start + offset..<start + offset + count] }

  private func load<Number: FixedWidthInteger & BitwiseCopyable>(_ offset: Int) -> Number {
    let place = start + offset - data.startIndex
    return data.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: Number.self)) }
  }
}

extension Data {
  /// Adds a number, lowest byte first.
  mutating func append(littleEndian number: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }
}
