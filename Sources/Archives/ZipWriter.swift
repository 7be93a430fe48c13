import DDNFiles
import Foundation

/// Writes a zip file of stored entries, with zip64 if needed; output is deterministic.
///
/// Every entry has the time 1980-01-01 00:00 and the permissions rw-r--r--.
/// Source: PKWARE's APPNOTE.TXT 6.3.9, section 4.3.
public struct ZipWriter {
  private let file: OutputFile
  private var directory = Data()
  private var count = 0
  private var offset = 0

  public init(_ file: OutputFile) { self.file = file }

  /// Adds a file.
  ///
  /// - Parameters:
  ///   - name: a relative path, unique in the archive.
  ///   - content: less than 4 GiB.
  /// - Throws: `FileError` (`failed`) when the file cannot be written.
  public mutating func add(_ name: String, _ content: Data) throws(FileError) {
    precondition(content.count < UInt32.max, "\(name): \(content.count) bytes need zip64 in the entry")
    let crc = Checksum.crc32(content)
    var header = Data()
    header.append(littleEndian: UInt32(0x0403_4b50))
    appendCommon(to: &header, version: 20, name: name, crc: crc, size: content.count, extraCount: 0)
    header.append(contentsOf: name.utf8)
    try file.write(header + content)

    let needsLarge = offset >= UInt32.max
    directory.append(littleEndian: UInt32(0x0201_4b50))
    directory.append(littleEndian: UInt16(3 << 8 | 45))  // Created on Unix, version 4.5 (zip64).
    appendCommon(
      to: &directory, version: needsLarge ? 45 : 20, name: name, crc: crc, size: content.count,
      extraCount: needsLarge ? 12 : 0)
    directory.append(contentsOf: [0, 0, 0, 0, 0, 0])  // No comment, disk 0, binary.
    directory.append(littleEndian: UInt32(0o100644) << 16)
    directory.append(littleEndian: UInt32(clamping: offset))
    directory.append(contentsOf: name.utf8)
    if needsLarge {
      directory.append(littleEndian: UInt16(1))
      directory.append(littleEndian: UInt16(8))
      directory.append(littleEndian: UInt64(offset))
    }
    count += 1
    offset += header.count + content.count
  }

  /// Writes the directory; call it last.
  ///
  /// - Throws: `FileError` (`failed`) when the file cannot be written.
  public mutating func finish() throws(FileError) {
    var end = Data()
    if count >= UInt16.max || offset >= UInt32.max || directory.count >= UInt32.max {
      end.append(littleEndian: UInt32(0x0606_4b50))
      end.append(littleEndian: UInt64(44))
      end.append(littleEndian: UInt16(3 << 8 | 45))
      end.append(littleEndian: UInt16(45))
      end.append(contentsOf: [0, 0, 0, 0, 0, 0, 0, 0])
      for number in [count, count, directory.count, offset] { end.append(littleEndian: UInt64(number)) }
      end.append(littleEndian: UInt32(0x0706_4b50))
      end.append(littleEndian: UInt32(0))
      end.append(littleEndian: UInt64(offset + directory.count))
      end.append(littleEndian: UInt32(1))
    }
    end.append(littleEndian: UInt32(0x0605_4b50))
    end.append(contentsOf: [0, 0, 0, 0])
    end.append(littleEndian: UInt16(clamping: count))
    end.append(littleEndian: UInt16(clamping: count))
    end.append(littleEndian: UInt32(clamping: directory.count))
    end.append(littleEndian: UInt32(clamping: offset))
    end.append(contentsOf: [0, 0])
    try file.write(directory + end)
  }

  /// The common fields of an entry's header and its directory record.
  private func appendCommon(
    to header: inout Data, version: UInt16, name: String, crc: UInt32, size: Int, extraCount: UInt16
  ) {
    header.append(littleEndian: version)
    header.append(littleEndian: UInt16(name.utf8.allSatisfy { $0 < 0x80 } ? 0 : 1 << 11))  // Bit 11: UTF-8.
    header.append(littleEndian: UInt16(0))  // Stored.
    header.append(littleEndian: UInt16(0))
    header.append(littleEndian: UInt16(1 << 5 | 1))  // 1 January 1980.
    header.append(littleEndian: crc)
    header.append(littleEndian: UInt32(size))
    header.append(littleEndian: UInt32(size))
    header.append(littleEndian: UInt16(name.utf8.count))
    header.append(littleEndian: extraCount)
  }
}
