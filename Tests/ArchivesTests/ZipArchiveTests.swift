import ArchivesSupport
import DDNFiles
import Foundation
import Testing

@testable import Archives

@Suite("ZipArchive")
struct ZipArchiveTests {
  private static let text = Data((0..<3000).map { UInt8(truncatingIfNeeded: $0 / 7) })
  private static let whole = ZipBytes([
    .init("a.txt", text), .init("folder/", Data()), .init("folder/ü.txt", text + [1], deflated: true),
    .init("nothing", Data()), .init("nothing2", Data(), deflated: true),
  ])

  @Test("stored and deflated entries, folders, a comment and zip64 records are read")
  func reads() throws {
    var commented = Self.whole
    commented.comment = Data("a comment".utf8)
    var large = Self.whole
    large.isZip64 = true
    for bytes in [Self.whole, commented, large] {
      let archive = try open(bytes.data)
      #expect(archive.names == ["a.txt", "folder/ü.txt", "nothing", "nothing2"])
      #expect(try archive.read("a.txt") == Self.text)
      #expect(try archive.read("folder/ü.txt") == Self.text + [1])
      #expect(try archive.read("nothing") == Data())
      #expect(try archive.read("nothing2") == Data())
      #expect(archive.contains("a.txt") && !archive.contains("folder/"))
    }
  }

  @Test("written archives are read and deterministic, also with more than 65,535 entries")
  func writes() throws {
    try withTemporaryFolder { (folder) throws in
      let urls = ["1.zip", "2.zip"].map { folder.appendingPathComponent($0) }
      for url in urls {
        try AtomicFile.write(to: url) { (file) throws(FileError) in
          var writer = ZipWriter(file)
          for index in 0..<70_000 { try writer.add("\(index).bin", Data([UInt8(truncatingIfNeeded: index)])) }
          try writer.finish()
        }
      }
      #expect(try Data(contentsOf: urls[0]) == Data(contentsOf: urls[1]))
      let archive = try ZipArchive(contentsOf: urls[0])
      #expect(archive.names.count == 70_000)
      #expect(try archive.read("69999.bin") == Data([UInt8(truncatingIfNeeded: 69_999)]))
    }
  }

  @Test("an archive truncated anywhere is an error")
  func truncated() throws {
    let bytes = Self.whole.data
    for length in stride(from: 0, to: bytes.count, by: 13) {
      #expect(try problem(bytes.prefix(length)).contains("truncated"), "after \(length) bytes")
    }
    #expect(try problem(bytes.dropFirst(100)).contains("another offset than declared"))
    #expect(try problem(Data("no archive at all, but a text that is long enough".utf8)).contains("not a zip file"))
  }

  @Test("flipped bits do not crash, and are detected in an entry's content")
  func flipped() throws {
    let content = Data((0..<40).map { UInt8($0 / 3) })
    let bytes = ZipBytes([.init("a.txt", content), .init("b/c", content, deflated: true), .init("d/", Data())]).data
    for position in 0..<bytes.count {
      for bit in [0, 5, 7] {
        var flipped = bytes
        flipped[position] ^= 1 << bit
        let isContent = (35..<75).contains(position)
        if let failure = try firstFailure(flipped) {
          #expect(failure.kind == .invalid, "byte \(position)")
        } else {
          #expect(!isContent, "byte \(position)")
        }
      }
    }
  }

  @Test(
    "names that are not relative paths are errors",
    arguments: [
      "/etc/passwd", "../a", "a/../../b", "a/..", "a//b", "./a", "..\\a", "a\\..\\b", "\\a", "C:\\a", "C:/a", "a\0b",
      "a\nb", "a\u{1B}[2J",
      "/", "",
    ])
  func names(name: String) throws {
    let problem = try problem(ZipBytes([.init(name, Self.text)]).data)
    #expect(problem.contains("not a relative path") || problem.contains("no name"))
  }

  @Test("Windows names are decoded from code page 437 with backslashes; duplicates are errors")
  func otherNames() throws {
    var latin = ZipBytes.Entry("", Self.text)
    latin.name = Array("a\\".utf8) + [0x66, 0x81, 0x72]
    #expect(try open(ZipBytes([latin]).data).names == ["a/für"])
    #expect(try problem(ZipBytes([.init("a\\b", Self.text), .init("a/b", Data())]).data).contains("two entries"))
    #expect(try problem(ZipBytes([.init("a", Self.text), .init("a", Data())]).data).contains("two entries \"a\""))
    let long = String(repeating: "a", count: 1001)
    #expect(try problem(ZipBytes([.init(long, Self.text)]).data).contains("entry 0 has a name of 1001 bytes"))
  }

  @Test("an encrypted entry or one of another method leaves the others readable") func otherMethods() throws {
    for change in [{ $0.flags = 1 }, { $0.method = 93 }] as [(inout ZipBytes.Entry) -> Void] {
      var zip = ZipBytes([.init("a", Self.text), .init("b", Self.text)])
      change(&zip.entries[0])
      let archive = try open(zip.data)
      #expect(archive.names == ["a", "b"])
      #expect(try archive.read("b") == Self.text)
      #expect(throws: FileError.self) { try archive.read("a") }
    }
  }

  /// Archives with one inconsistency each, and words of the error.
  static let changes: [(error: String, change: @Sendable (inout ZipBytes) -> Void)] = [
    ("is encrypted", { $0.entries[0].flags = 1 }),
    ("compressed by method 93", { $0.entries[0].method = 93 }),
    ("two different sizes", { $0.entries[0].count = 2999 }),
    ("overlap", { $0.entries[2].headerOffset = 0 }),
    ("overlap", { $0.entries[2].headerOffset = 20 }),
    (
      "overlap",
      {
        $0.entries[0].packedCount = 3100
        $0.entries[0].count = 3100
      }
    ),
    ("is outside the archive", { $0.entries[0].headerOffset = 0xffff_fff0 }),
    ("lacks its zip64 sizes", { $0.entries[0].headerOffset = 0xffff_ffff }),
    (
      "lacks its zip64 sizes",
      {
        $0.entries[0].headerOffset = 0xffff_ffff
        $0.entries[0].extra = words(UInt16(1), UInt16(4), UInt32(0))
      }
    ),
    (
      "declares 18446744073709551615 bytes",
      {
        $0.entries[2].count = 0xffff_ffff
        $0.entries[2].extra = words(UInt16(1), UInt16(8), UInt64.max)
      }
    ),
    ("declares 4294967294 bytes", { $0.entries[2].count = 0xffff_fffe }),
    ("compressed bytes can hold", { $0.entries[2].count = 500_000_000 }),
    ("more than the declared 3000 bytes", { $0.entries[2].count = 3000 }),
    ("declares 3002 bytes but inflates to 3001", { $0.entries[2].count = 3002 }),
    ("CRC", { $0.entries[0].crc = 1 }),
    ("CRC", { $0.entries[2].crc = 1 }),
    ("contradicts the directory", { $0.entries[0].headerName = Array("b.txt".utf8) }),
    ("other sizes than the directory", { $0.entries[0].headerCount = 7 }),
    ("one part of a multi-part", { $0.disk = 1 }),
    ("declares 900 entries", { $0.declaredEntries = 900 }),
    ("more entries than the declared 4", { $0.declaredEntries = 4 }),
    ("another offset than declared", { $0.directoryOffset = 5 }),
    ("a folder with 3000 bytes", { $0.entries[0].name = Array("a/".utf8) }),
  ]

  @Test("an inconsistent directory is an error before memory is allocated", arguments: changes.indices)
  func inconsistency(index: Int) throws {
    var bytes = Self.whole
    Self.changes[index].change(&bytes)
    let problem = try problem(bytes.data)
    #expect(problem.contains(Self.changes[index].error), "\(problem)")
  }

  @Test("an entry whose header moves its content into the next entry is an error")
  func moved() throws {
    var bytes = Self.whole.data
    bytes[28] = 10
    #expect(try problem(bytes).contains("overlaps the next entry"))
  }

  @Test("a zip bomb is refused by its declared size, or stops at it")
  func bomb() throws {
    let zeros = Data(count: 1 << 24)
    var bomb = ZipBytes([.init("bomb", zeros, deflated: true)])
    #expect(try open(bomb.data).read("bomb").count == 1 << 24)
    bomb.entries[0].count = 1000
    #expect(try problem(bomb.data).contains("more than the declared 1000 bytes"))
    bomb.entries[0].count = UInt32(ZipArchive.maxEntryBytes) + 1
    #expect(try problem(bomb.data).contains("more than the \(ZipArchive.maxEntryBytes) supported"))
  }

  @Test("random changes do not crash, and every error names the archive")
  func random() throws {
    var large = Self.whole
    large.isZip64 = true
    large.entries[0].extra = words(UInt16(1), UInt16(24), UInt64(3000), UInt64(3000), UInt64(0))
    let wholes = [Self.whole.data, large.data]
    var generator = SplitMix(state: 1)
    for round in 0..<20_000 {
      var bytes = wholes[round % 2]
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        // Mostly in the directory.
        let place = Int.random(
          in: Bool.random(using: &generator) ? bytes.count - 500..<bytes.count : 0..<bytes.count, using: &generator)
        bytes[place] = [0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &generator)].randomElement(
          using: &generator)!
      }
      if let failure = try firstFailure(bytes) { #expect(failure.kind == .invalid) }
    }
  }

  /// Reproducible.
  private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
      return mixed ^ mixed >> 31
    }
  }

  @Test("a missing archive is missing, a folder invalid")
  func missing() throws {
    try withTemporaryFolder { (folder) throws in
      let none = folder.appendingPathComponent("none.zip")
      #expect(try #require(throws: FileError.self) { try ZipArchive(contentsOf: none) }.kind == .missing)
      #expect(try #require(throws: FileError.self) { try ZipArchive(contentsOf: folder) }.kind == .invalid)
    }
  }

  private func open(_ bytes: Data) throws -> ZipArchive {
    try ZipArchive(Data(bytes), url: URL(fileURLWithPath: "/file.zip"))
  }

  /// The error of opening the archive or reading all of it, if any.
  private func firstFailure(_ bytes: Data) throws -> FileError? {
    do {
      let archive = try open(bytes)
      for name in archive.names { _ = try archive.read(name) }
      return nil
    } catch let error as FileError { return error }
  }

  private func problem(_ bytes: Data) throws -> String {
    let error = try #require(try firstFailure(bytes))
    #expect(error.kind == .invalid)
    return error.problem
  }
}
