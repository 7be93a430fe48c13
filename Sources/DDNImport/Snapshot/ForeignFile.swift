import Foundation

/// Recognizes files that are often mistaken for weights.
package enum ForeignFile {
  /// What the file is and what to do; nil if it may hold weights.
  static func problem(_ data: Data) -> ImportError? {
    let download = "download the file again"
    if data.isEmpty { return ImportError("is empty", remedy: download) }
    let head = String(decoding: data.prefix(512), as: UTF8.self).drop { $0.isWhitespace || $0 == "\u{FEFF}" }
    let lower = head.lowercased()
    if ["<!doctype", "<html", "<?xml", "<head", "<!--"].contains(where: lower.hasPrefix) {
      return ImportError(
        "is a web page, not weights", remedy: "\(download) from its direct link")
    }
    if head.hasPrefix("version https://git-lfs.github.com/spec/") {
      return ImportError("is a Git LFS pointer, not the file itself", remedy: "run git lfs pull")
    }
    let formats: [(name: String, magic: [UInt8], command: String)] = [
      ("gzip", [0x1F, 0x8B], "gunzip"), ("xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A], "unxz"),
      ("zstd", [0x28, 0xB5, 0x2F, 0xFD], "unzstd"), ("bzip2", [0x42, 0x5A, 0x68], "bunzip2"),
      ("7z", [0x37, 0x7A, 0xBC, 0xAF], "7z x"),
    ]
    if let found = formats.first(where: { data.starts(with: $0.magic) }) {
      return ImportError("is compressed with \(found.name)", remedy: "unpack it with \(found.command)")
    }
    return nil
  }

  /// Whether the file starts as `.safetensors` do: a header length, then `{`.
  package static func isSafetensors(_ data: Data) -> Bool {
    guard data.count > 8, data[data.startIndex + 8] == UInt8(ascii: "{") else { return false }
    let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return length <= UInt64(data.count - 8)
  }
}
