import CZlib
import DDNFiles
import Foundation

extension SafetensorsFile {
  /// The metadata entry for the checksum of all tensors' bytes, in files that this project writes.
  static let checksumKey = "crc32"

  /// The CRC-32 of tensors' bytes, in the order of their names.
  static func checksum(_ tensors: [(name: String, bytes: Data)]) -> String {
    var sum = crc32(0, nil, 0)
    for tensor in tensors.sorted(by: { $0.name < $1.name }) {
      tensor.bytes.withUnsafeBytes { add($0, to: &sum) }
    }
    return String(sum, radix: 16)
  }

  /// Compares the tensors with the file's checksum; files of other programs have none.
  ///
  /// - Throws: `FileError` (`invalid`) when they differ.
  public func verifyChecksum() throws {
    guard let expected = metadata[Self.checksumKey] else { return }
    var sum = crc32(0, nil, 0)
    for name in entries.keys.sorted() { try withBytes(of: name) { Self.add($0, to: &sum) } }
    guard String(sum, radix: 16) == expected else {
      throw FileError(
        .invalid, path: url.path, problem: "its tensors do not fit its checksum: the file is damaged",
        remedy: "download it again, or use an older one")
    }
  }

  private static func add(_ bytes: UnsafeRawBufferPointer, to sum: inout UInt) {
    sum = crc32_z(sum, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
  }
}
