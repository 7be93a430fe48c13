import Foundation

/// Fingerprints that show whether a file or a list of strings has changed.
public enum FileIdentity {
  /// The 64-bit FNV-1a hash of strings, in hexadecimal.
  ///
  /// Source: Fowler, Noll, Vo; RFC 9923.
  public static func checksum(of texts: some Sequence<String>) -> String {
    var sum: UInt64 = 0xCBF2_9CE4_8422_2325
    for text in texts {
      for byte in text.utf8 { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01B3 }
      sum = sum &* 0x100_0000_01B3  // Hashes a 0 byte as separator.
    }
    return String(sum, radix: 16)
  }

  /// Path, size and modification date in one line; of a missing file, the path.
  public static func text(of url: URL) -> String {
    let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    guard let attributes, let date = attributes[.modificationDate] as? Date, let size = attributes[.size] as? Int else {
      return url.standardizedFileURL.path
    }
    return "\(url.standardizedFileURL.path), \(size) bytes of \(date.timeIntervalSince1970)"
  }
}
