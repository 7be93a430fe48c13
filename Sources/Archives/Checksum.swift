import CZlib
import Foundation

/// Checksums of bytes.
public enum Checksum {
  /// CRC-32, as zip, gzip and PNG files use it.
  public static func crc32(_ bytes: Data) -> UInt32 {
    bytes.withUnsafeBytes { buffer in
      UInt32(crc32_z(0, buffer.bindMemory(to: UInt8.self).baseAddress, buffer.count))
    }
  }
}
