import DDNFiles
import Foundation

/// Reads plain files of a tar archive, compressed by gzip or not, from its start to its end.
///
/// Source: POSIX.1-2017, `pax`, "ustar Interchange Format".
enum TarArchive {
  private static let blockSize = 512

  /// Whether these first bytes of a content are a tar archive's.
  static func begins(_ bytes: [UInt8]) -> Bool {
    bytes.count >= blockSize && bytes[257..<262].elementsEqual("ustar".utf8)
  }

  /// The contents of the files that are wanted, by their names within the archive.
  ///
  /// - Parameters:
  ///   - maxBytes: the longest file that the archive may hold; a longer one is an error.
  ///   - isWanted: asked with the last part of each plain file's name.
  /// - Throws: `FileError` (`invalid`) when the archive is cut off or damaged, or holds a wanted file twice.
  static func read(
    _ url: URL, maxBytes: Int, isWanted: (String) -> Bool
  ) throws(FileError) -> [String: [UInt8]] {
    let source = try openByteSource(url)
    func damaged(_ problem: String) -> FileError {
      FileError(.invalid, path: url.path, problem: problem, remedy: "download it again")
    }
    var files: [String: [UInt8]] = [:]
    while true {
      let header = try source.bytes(blockSize)
      // Two empty blocks end an archive; some writers leave them out.
      if header.isEmpty || header.allSatisfy({ $0 == 0 }) { return files }
      guard begins(header), let size = octal(header[124..<136]), let sum = octal(header[148..<156]),
        sum == headerSum(header)
      else { throw damaged("is a damaged tar archive: a header's checksum is wrong, or it is cut off") }
      let isPlain = header[156] == UInt8(ascii: "0") || header[156] == 0
      let path = String(decoding: header[..<100].prefix { $0 != 0 }, as: UTF8.self)
      let name = path.split(separator: "/").last.map(String.init) ?? ""
      let shown = quoted(name)
      guard size <= maxBytes else {
        throw damaged("holds \(shown) of \(size) bytes, more than the \(maxBytes) expected")
      }
      if isPlain && isWanted(name) {
        guard files[name] == nil else { throw damaged("holds \(shown) twice") }
        let content = try source.bytes(size)
        guard content.count == size else { throw damaged("is cut off within \(shown)") }
        files[name] = content
      } else {
        try skip(size, of: source, or: damaged("is cut off within \(shown)"))
      }
      try skip((blockSize - size % blockSize) % blockSize, of: source, or: damaged("is cut off after \(shown)"))
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

  /// Digits between spaces and zero bytes; nil when there is anything else.
  private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
    let digits = field.filter { $0 != 0 && $0 != UInt8(ascii: " ") }
    return digits.isEmpty ? nil : Int(String(decoding: digits, as: UTF8.self), radix: 8).flatMap { $0 < 0 ? nil : $0 }
  }

  /// The sum of a header's bytes, its checksum taken as spaces.
  private static func headerSum(_ header: [UInt8]) -> Int {
    header.enumerated().reduce(0) { $0 + Int((148..<156).contains($1.offset) ? UInt8(ascii: " ") : $1.element) }
  }
}
