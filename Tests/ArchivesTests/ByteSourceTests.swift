import ArchivesSupport
import DDNFiles
import Foundation
import Testing

@testable import Archives

@Suite("ByteSource")
struct ByteSourceTests {
  /// Its deflated form has no padding bits, so every flip is detected.
  private static let content = Data([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3] + Array(1...12))

  @Test("a plain file and its gzip version give the same bytes, in any chunks")
  func plainAndGzip() throws {
    for file in [Self.content, gzip(Self.content)] {
      try withTemporaryFolder { (folder) throws in
        let url = folder.appendingPathComponent("file")
        try file.write(to: url)
        let source = try openByteSource(url)
        #expect(source.upperBound >= Self.content.count)
        #expect(try source.bytes(7) == Array(Self.content.prefix(7)))
        #expect(try source.bytes(100) == Array(Self.content.dropFirst(7)))
        #expect(try source.bytes(1).isEmpty)
      }
    }
  }

  @Test("concatenated gzip members are one content")
  func members() throws {
    #expect(try read(gzip(Self.content) + gzip(Data()) + gzip(Data([1, 2]))) == Array(Self.content) + [1, 2])
  }

  @Test("content larger than zlib's window is inflated")
  func large() throws {
    let bytes = (0..<300 * 28 * 28).map { UInt8(truncatingIfNeeded: $0 &* $0 / 7) }
    #expect(try read(gzip(Data(bytes))) == bytes)
  }

  @Test("a missing file is missing, a folder invalid")
  func missing() throws {
    try withTemporaryFolder { (folder) throws in
      let none = folder.appendingPathComponent("none")
      #expect(try #require(throws: FileError.self) { _ = try openByteSource(none) }.kind == .missing)
      #expect(try #require(throws: FileError.self) { _ = try openByteSource(folder) }.kind == .invalid)
    }
  }

  @Test("a gzip file truncated anywhere is an error")
  func truncatedGzip() throws {
    let whole = gzip(Self.content)
    for length in 2..<whole.count {
      #expect(try problem(whole.prefix(length)).contains("truncated"), "after \(length) bytes")
    }
  }

  @Test("a gzip file with a wrong CRC or a flipped bit is an error")
  func corruptedGzip() throws {
    var wrongCRC = gzip(Self.content)
    wrongCRC[wrongCRC.count - 8] ^= 1
    #expect(try problem(wrongCRC).contains("incorrect data check"))
    var wrongLength = gzip(Self.content)
    wrongLength[wrongLength.count - 4] ^= 1
    #expect(try problem(wrongLength).contains("incorrect length check"))
    // A flip in the header, such as in a time stamp, may be harmless; in the deflated bytes none is.
    let whole = gzip(Self.content)
    for position in 10..<whole.count {
      var flipped = whole
      flipped[position] ^= 0x10
      #expect(throws: FileError.self, "byte \(position)") { try read(flipped) }
    }
  }

  @Test("trailing bytes after the gzip content are an error")
  func garbageAfterGzip() throws {
    #expect(try problem(gzip(Self.content) + Data("tail".utf8)).contains("4 trailing bytes"))
  }

  private func read(_ content: Data) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try withTemporaryFolder { (folder) throws in
      let url = folder.appendingPathComponent("file")
      try content.write(to: url)
      bytes = try openByteSource(url).bytes(1 << 20)
    }
    return bytes
  }

  private func problem(_ content: Data) throws -> String {
    let error = try #require(throws: FileError.self) { try read(content) }
    #expect(error.kind == .invalid && error.path.hasSuffix("/file"))
    return error.problem
  }
}
