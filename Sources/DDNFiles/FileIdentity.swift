import Foundation

/// What tells a file from what it was before, and a list of texts from another.
public enum FileIdentity {
  /// The 64-bit FNV-1a checksum of texts, in hexadecimal.
  ///
  /// Source: Fowler, Noll, Vo; RFC 9923.
  public static func checksum(of texts: some Sequence<String>) -> String {
    var sum: UInt64 = 0xCBF2_9CE4_8422_2325
    for text in texts {
      for byte in text.utf8 { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01B3 }
      sum = sum &* 0x100_0000_01B3  // As a byte of 0 between texts.
    }
    return String(sum, radix: 16)
  }

  /// Its place, size and date, in one line; of a file that is not there, its place alone.
  public static func text(of url: URL) -> String {
    let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    guard let attributes, let date = attributes[.modificationDate] as? Date, let size = attributes[.size] as? Int else {
      return url.standardizedFileURL.path
    }
    return "\(url.standardizedFileURL.path), \(size) bytes of \(date.timeIntervalSince1970)"
  }
}
