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

  /// CRC-32C, by Castagnoli's polynomial, as TFRecord files use it.
  package static func crc32c(_ bytes: Data) -> UInt32 {
    ~bytes.reduce(~0) { checksum, byte in castagnoli[Int(UInt8(truncatingIfNeeded: checksum) ^ byte)] ^ (checksum >> 8)
    }
  }

  /// The remainder of each byte.
  private static let castagnoli: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { remainder, _ in (remainder >> 1) ^ (remainder & 1 == 1 ? 0x82f6_3b78 : 0) }
  }
}
