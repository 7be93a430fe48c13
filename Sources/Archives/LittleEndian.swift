import Foundation

/// Reads little-endian numbers at offsets from a start; out-of-bounds reads trap.
package struct LittleEndian {
  private let data: Data
  private let start: Int

  package init(_ data: Data, from start: Int) {
    self.data = data
    self.start = start
  }

  package func uint16(_ offset: Int) -> UInt16 { load(offset) }
  package func uint32(_ offset: Int) -> UInt32 { load(offset) }
  package func uint64(_ offset: Int) -> UInt64 { load(offset) }

  package func bytes(_ offset: Int, _ count: Int) -> Data { data[start + offset..<start + offset + count] }

  private func load<Number: FixedWidthInteger & BitwiseCopyable>(_ offset: Int) -> Number {
    let place = start + offset - data.startIndex
    precondition(place >= 0 && place <= data.count - MemoryLayout<Number>.size, "a read beyond \(data.count) bytes")
    return data.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: Number.self)) }
  }
}

extension Data {
  /// Appends a number in little-endian order.
  package mutating func append(littleEndian number: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }
}
