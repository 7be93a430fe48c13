import DDNFiles
import Foundation

/// Reads regular files of a plain or gzip tar archive in one pass.
///
/// Source: POSIX.1-2017, `pax`, "ustar Interchange Format" and "pax Extended Header"; GNU tar's manual, "The Standard
/// Format", for long names.
public enum TarArchive {
  private static let blockSize = 512
  /// Upper bound on an extended header, which holds one file name.
  private static let maxHeaderBytes = 1 << 16

  /// Whether content with these first bytes (at least 512) is a tar archive.
  public static func begins(_ bytes: [UInt8]) -> Bool {
    bytes.count >= blockSize && bytes[257..<262].elementsEqual("ustar".utf8)
  }

  /// The contents of the wanted files, by their path components.
  ///
  /// - Parameters:
  ///   - url: the file, plain or gzip.
  ///   - maxBytes: upper bound on the size of a wanted file.
  ///   - maxTotalBytes: upper bound on their total size.
  ///   - isWanted: called with the path components of each regular file.
  /// - Throws: `FileError` (`invalid`) when the archive is truncated, damaged or exceeds a bound, or contains a wanted
  ///   file twice.
  public static func read(
    _ url: URL, maxBytes: Int, maxTotalBytes: Int = .max, isWanted: ([String]) -> Bool
  ) throws(FileError) -> [[String]: [UInt8]] {
    let source = try openByteSource(url)
    func damaged(_ problem: String, _ remedy: String = "download it again") -> FileError {
      FileError(.invalid, path: url.path, problem: problem, remedy: remedy)
    }
    var files: [[String]: [UInt8]] = [:]
    var total = 0
    // The next file's name, from an extended header.
    var longName: String?
    while true {
      let header = try source.bytes(blockSize)
      // Two empty blocks end an archive; some writers omit them.
      if header.isEmpty || header.allSatisfy({ $0 == 0 }) { return files }
      guard begins(header), let size = octal(header[124..<136]), let sum = octal(header[148..<156]),
        sum == headerSum(header)
      else { throw damaged("is a truncated or damaged tar archive: a header's checksum is wrong") }
      let kind = header[156]
      let name = longName ?? Self.name(header)
      let shown = quoted(name.split(separator: "/").last ?? "")
      if kind == UInt8(ascii: "x") || kind == UInt8(ascii: "L") {
        guard size <= maxHeaderBytes else {
          throw damaged("has a header of \(size) bytes, more than the \(maxHeaderBytes) expected")
        }
        let content = try source.bytes(size)
        guard content.count == size else { throw damaged("is truncated within a header") }
        longName = kind == UInt8(ascii: "L") ? text(content[...]) : paxPath(content) ?? longName
      } else {
        longName = nil
        let isPlain = kind == UInt8(ascii: "0") || kind == 0
        let path = name.split(separator: "/").map(String.init)
        if isPlain && isWanted(path) {
          guard size <= maxBytes else {
            throw damaged("contains \(shown) of \(size) bytes, more than the \(maxBytes) expected")
          }
          total += size
          guard total <= maxTotalBytes else {
            throw damaged("contains more than \(maxTotalBytes) bytes of images", "unpack it, and give the folder")
          }
          guard files[path] == nil else { throw damaged("contains \(shown) twice") }
          let content = try source.bytes(size)
          guard content.count == size else { throw damaged("is truncated within \(shown)") }
          files[path] = content
        } else {
          try skip(size, of: source, or: damaged("is truncated within \(shown)"))
        }
      }
      try skip((blockSize - size % blockSize) % blockSize, of: source, or: damaged("is truncated after \(shown)"))
    }
  }

  private static func skip(_ count: Int, of source: any ByteSource, or error: FileError) throws(FileError) {
    var rest = count
    while rest > 0 {
      let skipped = try source.bytes(min(rest, 1 << 16)).count
      guard skipped > 0 else { throw error }
      rest -= skipped
    }
  }

  /// The prefix field's folders and the name field.
  private static func name(_ header: [UInt8]) -> String {
    let isPosix = header[262] == 0  // GNU's format has no prefix field.
    let folders = isPosix ? text(header[345..<500]) : ""
    return (folders.isEmpty ? "" : folders + "/") + text(header[..<100])
  }

  /// The path in a pax header of lines "LENGTH KEY=VALUE", if any.
  private static func paxPath(_ content: [UInt8]) -> String? {
    var rest = content[...]
    var path: String?
    while let space = rest.firstIndex(of: UInt8(ascii: " ")),
      let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > 0, length <= rest.count
    {
      let line = String(decoding: rest[(space + 1)..<max(space + 1, rest.startIndex + length - 1)], as: UTF8.self)
      if line.hasPrefix("path=") { path = String(line.dropFirst(5)) }
      rest = rest.dropFirst(length)
    }
    return path
  }

  private static func text(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// An octal number padded by spaces and zero bytes; nil if malformed.
  private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
    let digits = field.filter { $0 != 0 && $0 != UInt8(ascii: " ") }
    return digits.isEmpty ? nil : Int(String(decoding: digits, as: UTF8.self), radix: 8).flatMap { $0 < 0 ? nil : $0 }
  }

  /// The sum of a header's bytes, with spaces for the checksum.
  private static func headerSum(_ header: [UInt8]) -> Int {
    header.enumerated().reduce(0) { $0 + Int((148..<156).contains($1.offset) ? UInt8(ascii: " ") : $1.element) }
  }
}
