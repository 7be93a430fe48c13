import Archives
import Foundation

/// A record of a TFRecord file: the payload's length, its checksum, the payload, its checksum; little-endian.
///
/// Source: tensorflow/core/lib/io/record_writer.h.
enum Record {
  static func frame(_ payload: Data) -> Data {
    var length = Data()
    length.append(littleEndian: UInt64(payload.count))
    var record = length
    record.append(littleEndian: maskedChecksum(length))
    record.append(payload)
    record.append(littleEndian: maskedChecksum(payload))
    return record
  }

  /// CRC-32C, rotated and shifted, because checksums of data that contain checksums are weak.
  static func maskedChecksum(_ bytes: Data) -> UInt32 {
    let checksum = Checksum.crc32c(bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xa282_ead8
  }
}
