import CZlib
import Foundation

/// The bytes of a zip file in which every field can be set to a wrong value.
package struct ZipBytes {
  package struct Entry {
    package var name: [UInt8]
    package var content: Data
    package var isDeflated = false
    /// The directory's fields; nil for the right value.
    package var method: UInt16?
    package var flags: UInt16 = 0
    package var crc: UInt32?
    package var count: UInt32?
    package var packedCount: UInt32?
    package var headerOffset: UInt32?
    package var extra = Data()
    /// The entry header's fields; nil for the directory's value.
    package var headerName: [UInt8]?
    package var headerCount: UInt32?
    package var headerExtra = Data()

    package init(_ name: String, _ content: Data, deflated: Bool = false) {
      self.name = Array(name.utf8)
      self.content = content
      isDeflated = deflated
    }
  }

  package var entries: [Entry]
  package var comment = Data()
  /// The end record's fields; nil for the right value.
  package var declaredEntries: UInt16?
  package var directoryOffset: UInt32?
  package var disk: UInt16 = 0
  /// Adds the zip64 records of large archives.
  package var isZip64 = false

  package init(_ entries: [Entry]) { self.entries = entries }

  package var data: Data {
    var file = Data()
    var directory = Data()
    for entry in entries {
      let packed = entry.isDeflated ? rawDeflate(entry.content) : entry.content
      let offset = file.count
      let crc =
        entry.crc
        ?? UInt32(entry.content.withUnsafeBytes { crc32_z(0, $0.bindMemory(to: UInt8.self).baseAddress, $0.count) })
      let method = entry.method ?? (entry.isDeflated ? 8 : 0)
      let packedCount = entry.packedCount ?? UInt32(packed.count)
      let count = entry.count ?? UInt32(entry.content.count)
      let headerName = entry.headerName ?? entry.name
      file += words(UInt32(0x0403_4b50), UInt16(20), entry.flags, method, UInt16(0), UInt16(33), crc, packedCount)
      file += words(entry.headerCount ?? count, UInt16(headerName.count), UInt16(entry.headerExtra.count))
      file += headerName + entry.headerExtra + packed
      directory += words(UInt32(0x0201_4b50), UInt16(20), UInt16(20), entry.flags, method, UInt16(0), UInt16(33), crc)
      directory += words(packedCount, count, UInt16(entry.name.count), UInt16(entry.extra.count), UInt16(0), UInt16(0))
      directory += words(UInt16(0), UInt32(0), entry.headerOffset ?? UInt32(offset))
      directory += entry.name + entry.extra
    }
    let start = file.count
    file += directory
    if isZip64 {
      file += words(UInt32(0x0606_4b50), UInt64(44), UInt16(45), UInt16(45), UInt32(0), UInt32(0))
      file += words(UInt64(entries.count), UInt64(entries.count), UInt64(directory.count), UInt64(start))
      file += words(UInt32(0x0706_4b50), UInt32(0), UInt64(start + directory.count), UInt32(1))
    }
    let declared = declaredEntries ?? (isZip64 ? 0xffff : UInt16(entries.count))
    file += words(UInt32(0x0605_4b50), disk, disk, declared, declared)
    file += words(UInt32(isZip64 ? 0xffff_ffff : UInt32(directory.count)))
    file += words(directoryOffset ?? (isZip64 ? 0xffff_ffff : UInt32(start)), UInt16(comment.count))
    return file + comment
  }
}

/// Numbers in little-endian order.
package func words(_ numbers: any FixedWidthInteger...) -> Data {
  numbers.reduce(into: Data()) { data, number in
    func add<Number: FixedWidthInteger>(_ number: Number) {
      withUnsafeBytes(of: number.littleEndian) { data.append(contentsOf: $0) }
    }
    add(number)
  }
}

/// Raw deflated bytes, without zlib's header and checksum.
package func rawDeflate(_ content: Data) -> Data {
  var compressed = [UInt8](repeating: 0, count: content.count + content.count / 100 + 1024)
  var count = uLong(compressed.count)
  precondition(compress2(&compressed, &count, [UInt8](content), uLong(content.count), 9) == Z_OK)
  return Data(compressed[2..<Int(count) - 4])  // 2 bytes before, 4 after
}
