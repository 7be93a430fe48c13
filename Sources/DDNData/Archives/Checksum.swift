import CVips  // GLib comes with libvips.
import CZlib
import DDNFiles
import Foundation

/// Checksums of bytes and of files.
enum Checksum {
  /// As zip, gzip and PNG files have it.
  static func crc32(_ bytes: Data) -> UInt32 {
    bytes.withUnsafeBytes { buffer in
      UInt32(crc32_z(0, buffer.bindMemory(to: UInt8.self).baseAddress, buffer.count))
    }
  }

  /// SHA-256 of a file in hexadecimal.
  ///
  /// - Throws: `FileError` when it cannot be read.
  static func sha256(of url: URL) throws(FileError) -> String {
    let data = try InputFile.map(url)
    let sum = g_checksum_new(G_CHECKSUM_SHA256)
    defer { g_checksum_free(sum) }
    data.withUnsafeBytes { buffer in
      g_checksum_update(sum, buffer.bindMemory(to: UInt8.self).baseAddress, buffer.count)
    }
    return String(cString: g_checksum_get_string(sum))
  }
}
