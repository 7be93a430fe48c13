import DDNFiles
import Foundation

/// The central directory of a zip file, validated before use.
struct ZipDirectory {
  enum Method: UInt16 {
    case stored = 0
    case deflated = 8
  }

  struct Entry {
    let name: String
    /// The undecoded name.
    let nameBytes: Data
    let method: Method
    let crc: UInt32
    /// Compressed size in bytes.
    let packedCount: Int
    /// Uncompressed size in bytes.
    let count: Int
    let headerOffset: Int
    /// The error of reading an encrypted entry or one of an unknown method.
    let unsupported: FileError?
    /// Offset of the next entry, or of the directory.
    var end = 0

    var isFolder: Bool { name.hasSuffix("/") }
  }

  private static let endSize = 22
  private static let locatorSize = 20
  private static let recordSize = 46
  private static let maxNameBytes = 1_000
  /// Deflate expands at most 1,032 times.
  private static let maxRatio = 1_032

  private let data: Data
  private let path: String

  /// All entries in the directory's order.
  ///
  /// - Throws: `FileError` (`invalid`): see `ZipArchive`.
  static func entries(of data: Data, path: String) throws(FileError) -> [Entry] {
    let directory = ZipDirectory(data: data, path: path)
    let (range, count) = try directory.find()
    var entries = try directory.readRecords(range, count: count)
    try directory.setEnds(&entries, directoryStart: range.lowerBound)
    return entries
  }

  /// The directory's byte range and number of entries.
  private func find() throws(FileError) -> (range: Range<Int>, count: Int) {
    guard let end = findEnd() else {
      throw invalid("has no zip directory at its end: it is truncated or not a zip file")
    }
    let record = LittleEndian(data, from: end)
    var disks = [Int(record.uint16(4)), Int(record.uint16(6))]
    var counts = [Int(record.uint16(8)), Int(record.uint16(10))]
    var (size, start) = (UInt64(record.uint32(12)), UInt64(record.uint32(16)))
    var directoryEnd = end
    if let large = try find64(before: end) {
      let record = LittleEndian(data, from: large)
      disks = [Int(record.uint32(16)), Int(record.uint32(20))]
      counts = [Int(clamping: record.uint64(24)), Int(clamping: record.uint64(32))]
      (size, start) = (record.uint64(40), record.uint64(48))
      directoryEnd = large
    }
    guard disks == [0, 0], counts[0] == counts[1] else {
      throw FileError(
        .invalid, path: path, problem: "is one part of a multi-part zip archive", remedy: "join the parts")
    }
    guard start <= UInt64(directoryEnd), size == UInt64(directoryEnd) - start else {
      throw invalid("has a zip directory at another offset than declared: it is truncated or damaged")
    }
    let range = Int(start)..<directoryEnd
    guard counts[0] <= range.count / Self.recordSize else {
      throw invalid("declares \(counts[0]) entries, more than its directory can hold")
    }
    return (range, counts[0])
  }

  /// Offset of the end record, found by its signature and a comment that ends with the file.
  private func findEnd() -> Int? {
    let last = data.count - Self.endSize
    guard last >= 0 else { return nil }
    return stride(from: last, through: max(0, last - 0xffff), by: -1).first { start in
      let record = LittleEndian(data, from: start)
      return record.uint32(0) == 0x0605_4b50 && Int(record.uint16(20)) == last - start
    }
  }

  /// Offset of the zip64 end record, which archives of more than 65,535 entries or 4 GiB have.
  private func find64(before end: Int) throws(FileError) -> Int? {
    let place = end - Self.locatorSize
    guard place >= 0 else { return nil }
    let locator = LittleEndian(data, from: place)
    guard locator.uint32(0) == 0x0706_4b50 else { return nil }
    let start = locator.uint64(8)
    guard place >= 56, start <= UInt64(place - 56) else { throw invalid("has a damaged zip64 directory") }
    let record = LittleEndian(data, from: Int(start))
    guard record.uint32(0) == 0x0606_4b50, record.uint64(4) == UInt64(place) - start - 12 else {
      throw invalid("has a damaged zip64 directory")
    }
    return Int(start)
  }

  private func readRecords(_ range: Range<Int>, count: Int) throws(FileError) -> [Entry] {
    var entries: [Entry] = []
    entries.reserveCapacity(count)
    var names: Set<String> = []
    var start = range.lowerBound
    for number in 0..<count {
      guard start + Self.recordSize <= range.upperBound else { throw invalid("ends within entry \(number)") }
      let record = LittleEndian(data, from: start)
      guard record.uint32(0) == 0x0201_4b50 else { throw invalid("has a damaged entry \(number)") }
      let (nameCount, extraCount) = (Int(record.uint16(28)), Int(record.uint16(30)))
      let next = start + Self.recordSize + nameCount + extraCount + Int(record.uint16(32))
      guard next <= range.upperBound else { throw invalid("ends within entry \(number)") }
      let nameBytes = record.bytes(Self.recordSize, nameCount)
      let name = try name(nameBytes, number: number)
      guard names.insert(name).inserted else { throw invalid("has two entries \(quoted(name))") }
      let extra = record.bytes(Self.recordSize + nameCount, extraCount)
      entries.append(try entry(record, name: name, nameBytes: nameBytes, extra: extra))
      start = next
    }
    guard start == range.upperBound else { throw invalid("has more entries than the declared \(count)") }
    return entries
  }

  /// Decodes and validates a name; it must be a relative path within the archive.
  private func name(_ bytes: Data, number: Int) throws(FileError) -> String {
    // Windows writes backslashes and code page 437.
    let name = (String(validating: bytes, as: UTF8.self) ?? CodePage437.decode(bytes))
      .replacingOccurrences(of: "\\", with: "/")
    guard !name.isEmpty else {
      throw FileError(
        .invalid, path: path, problem: "entry \(number) has no name", remedy: "pack it again with plain names")
    }
    // Messages quote names.
    guard bytes.count <= Self.maxNameBytes else {
      throw FileError(
        .invalid, path: path, problem: "entry \(number) has a name of \(bytes.count) bytes",
        remedy: "pack it again with names of at most \(Self.maxNameBytes) bytes")
    }
    let parts = (name.hasSuffix("/") ? name.dropLast() : name[...]).split(
      separator: "/", omittingEmptySubsequences: false)
    let isDrive = name.dropFirst().first == ":" && name.first!.isLetter
    guard !isDrive, !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }),
      parts.allSatisfy({ !["", ".", ".."].contains($0) })
    else {
      throw FileError(
        .invalid, path: path, problem: "entry \(number) has a name that is not a relative path: \(quoted(name))",
        remedy: "pack it again with relative paths and slashes")
    }
    return name
  }

  private func entry(_ record: LittleEndian, name: String, nameBytes: Data, extra: Data) throws(FileError) -> Entry {
    func invalid(_ problem: String, _ remedy: String = "create or download the archive again") -> FileError {
      FileError(.invalid, path: "\(path)/\(name)", problem: problem, remedy: remedy)
    }
    // Bit 0: encrypted; 6: strong encryption; 13: encrypted directory.
    var unsupported: FileError?
    if record.uint16(8) & (1 | 1 << 6 | 1 << 13) != 0 {
      unsupported = invalid("is encrypted", "pack it again without a password")
    } else if Method(rawValue: record.uint16(10)) == nil {
      unsupported = invalid(
        "is compressed by method \(record.uint16(10)), not by Deflate", "pack it again as a plain zip file")
    }
    let method = Method(rawValue: record.uint16(10)) ?? .stored
    // Numbers beyond 32 bits are in the extra field, in this order.
    var numbers = [record.uint32(24), record.uint32(20), record.uint32(42)].map { UInt64($0) }
    if numbers.contains(UInt64(UInt32.max)) {
      guard var large = Self.extraField(1, in: extra) else { throw invalid("lacks its zip64 sizes") }
      for place in numbers.indices where numbers[place] == UInt64(UInt32.max) {
        guard large.count >= 8 else { throw invalid("lacks its zip64 sizes") }
        numbers[place] = LittleEndian(large, from: large.startIndex).uint64(0)
        large = large.dropFirst(8)
      }
    }
    // Beside it, smaller entries remain readable, such as the statistics that follow thousands of images.
    if numbers[0] > UInt64(ZipArchive.maxEntryBytes) {
      unsupported = invalid("declares \(numbers[0]) bytes, more than the \(ZipArchive.maxEntryBytes) supported")
    }
    guard numbers[1] <= UInt64(data.count), numbers[2] <= UInt64(data.count) else {
      throw unsupported ?? invalid("is outside the archive")
    }
    // Deflate adds at most 0.1%.
    guard unsupported != nil || numbers[1] <= UInt64(ZipArchive.maxEntryBytes) * 2 else {
      throw invalid("is larger compressed than declared")
    }
    let (count, packedCount) = (Int(clamping: numbers[0]), Int(numbers[1]))
    switch method {
    case _ where unsupported != nil: break
    case .stored where count != packedCount: throw invalid("is stored, but declares two different sizes")
    case .deflated where count > packedCount * Self.maxRatio:
      throw invalid("declares \(count) bytes, more than \(packedCount) compressed bytes can hold")
    default: break
    }
    guard !name.hasSuffix("/") || count == 0 else { throw invalid("is a folder with \(count) bytes of content") }
    return Entry(
      name: name, nameBytes: nameBytes, method: method, crc: record.uint32(16), packedCount: packedCount, count: count,
      headerOffset: Int(numbers[2]), unsupported: unsupported)
  }

  /// The extra field of one kind.
  private static func extraField(_ kind: UInt16, in extra: Data) -> Data? {
    var rest = extra
    while rest.count >= 4 {
      let field = LittleEndian(rest, from: rest.startIndex)
      let count = Int(field.uint16(2))
      guard 4 + count <= rest.count else { return nil }
      if field.uint16(0) == kind { return field.bytes(4, count) }
      rest = rest.dropFirst(4 + count)
    }
    return nil
  }

  /// Sets each entry's `end`; throws if entries overlap each other or the directory.
  private func setEnds(_ entries: inout [Entry], directoryStart: Int) throws(FileError) {
    var end = directoryStart
    for place in entries.indices.sorted(by: { entries[$0].headerOffset > entries[$1].headerOffset }) {
      let entry = entries[place]
      guard entry.headerOffset + 30 + entry.nameBytes.count + entry.packedCount <= end else {
        throw invalid("has overlapping entries, such as \(quoted(entry.name))")
      }
      entries[place].end = end
      end = entry.headerOffset
    }
  }

  private func invalid(_ problem: String) -> FileError {
    FileError(.invalid, path: path, problem: problem, remedy: "create or download the archive again")
  }
}
