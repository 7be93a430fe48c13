import CZlib
import DDNFiles
import Foundation

/// A zip file of stored or deflated entries, with zip64; thread-safe.
///
/// Opening validates the directory; reading validates an entry's bounds, length and CRC. An entry takes at most its
/// declared size in memory, which is at most `maxEntryBytes`.
///
/// Source: PKWARE's APPNOTE.TXT 6.3.9, sections 4.3 and 4.5.
public struct ZipArchive: Sendable {
  /// Upper bound on the size of an entry, in bytes.
  public static let maxEntryBytes = 1 << 29

  public let url: URL
  /// Relative paths of all files, without folders, in the directory's order.
  public var names: [String] { files.map(\.name) }

  private let data: Data
  private let files: [ZipDirectory.Entry]
  private let places: [String: Int]

  /// Reads and validates the directory.
  ///
  /// - Throws: `FileError`: `missing` when the file does not exist; `invalid` when it is truncated or not a zip file,
  ///   or when entries overlap or share a name, a name is not relative, or a size exceeds Deflate's maximum ratio.
  public init(contentsOf url: URL) throws(FileError) {
    try self.init(InputFile.map(url), url: url)
  }

  /// Validates the directory of an archive in memory.
  ///
  /// - Parameters:
  ///   - data: the whole file.
  ///   - url: the origin of the bytes, for messages.
  /// - Throws: `FileError` (`invalid`), as above.
  public init(_ data: Data, url: URL) throws(FileError) {
    self.url = url
    self.data = data
    let entries = try ZipDirectory.entries(of: data, path: url.path)
    files = entries.filter { !$0.isFolder }
    places = Dictionary(uniqueKeysWithValues: files.enumerated().map { ($1.name, $0) })
  }

  public func contains(_ name: String) -> Bool { places[name] != nil }

  /// The content of a file; `name` must be one of `names`.
  ///
  /// - Throws: `FileError` (`invalid`) naming the entry when it contradicts the directory, is encrypted,
  ///   exceeds `maxEntryBytes` or is compressed by another method than Deflate.
  public func read(_ name: String) throws(FileError) -> Data {
    guard let place = places[name] else { preconditionFailure("\(url.path) has no entry \(name)") }
    let entry = files[place]
    if let error = entry.unsupported { throw error }
    let packed = try packedBytes(of: entry)
    let content = entry.method == .stored ? packed : try inflated(packed, entry)
    guard Checksum.crc32(content) == entry.crc else {
      throw damaged(entry, "is damaged: its CRC differs from the directory's")
    }
    return content
  }

  /// The entry's bytes in the file; compares its header with the directory.
  private func packedBytes(of entry: ZipDirectory.Entry) throws(FileError) -> Data {
    let header = LittleEndian(data, from: entry.headerOffset)
    // In bounds: the directory's validation checks header, name and content.
    guard header.uint32(0) == 0x0403_4b50 else { throw damaged(entry, "has no header at the directory's offset") }
    let nameCount = Int(header.uint16(26))
    guard header.uint16(8) == entry.method.rawValue, header.uint16(6) & 1 == 0, nameCount == entry.nameBytes.count,
      header.bytes(30, nameCount).elementsEqual(entry.nameBytes)
    else { throw damaged(entry, "has a header that contradicts the directory") }
    let hasSizes = header.uint16(6) & 1 << 3 == 0 && header.uint32(18) != UInt32.max
    if hasSizes, Int(header.uint32(18)) != entry.packedCount || Int(header.uint32(22)) != entry.count {
      throw damaged(entry, "has a header with other sizes than the directory")
    }
    let start = entry.headerOffset + 30 + nameCount + Int(header.uint16(28))
    guard start + entry.packedCount <= entry.end else { throw damaged(entry, "overlaps the next entry") }
    return data[start..<start + entry.packedCount]
  }

  private func inflated(_ packed: Data, _ entry: ZipDirectory.Entry) throws(FileError) -> Data {
    var content = Data(count: max(entry.count, 1))
    // On the heap, because zlib keeps a pointer to it.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    guard inflateInit2_(stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw FileError(
        .failed, path: path(of: entry), problem: "zlib cannot be initialized", remedy: "check the zlib library")
    }
    defer { inflateEnd(stream) }
    let status = packed.withUnsafeBytes { input in
      content.withUnsafeMutableBytes { output in
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = UInt32(entry.count)
        return inflate(stream, Z_FINISH)
      }
    }
    guard status == Z_STREAM_END else {
      if status == Z_BUF_ERROR || status == Z_OK {
        throw damaged(
          entry,
          stream.pointee.avail_out == 0 ? "inflates to more than the declared \(entry.count) bytes" : "is truncated")
      }
      throw damaged(entry, "is damaged: \(stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)")")
    }
    guard stream.pointee.avail_out == 0, stream.pointee.avail_in == 0 else {
      throw damaged(
        entry, "declares \(entry.count) bytes but inflates to \(entry.count - Int(stream.pointee.avail_out))")
    }
    return content.prefix(entry.count)
  }

  private func path(of entry: ZipDirectory.Entry) -> String { "\(url.path)/\(entry.name)" }

  private func damaged(_ entry: ZipDirectory.Entry, _ problem: String) -> FileError {
    FileError(.invalid, path: path(of: entry), problem: problem, remedy: "create or download the archive again")
  }
}
