import ArchivesSupport
import DDNFiles
import Foundation
import Testing

@testable import DDNData

@Suite("IdxFile")
struct IdxFileTests {
  /// Two images of 3 x 2.
  private static let images = idx(0x803, [2, 2, 3], Array(1...12))

  @Test("a plain file and its gzip form give the same array")
  func plainAndGzip() throws {
    let plain = try read(Self.images)
    #expect(plain.dimensions == [2, 2, 3])
    #expect(plain.bytes == Array(1...12))
    #expect(try read(gzip(Self.images)) == plain)
  }

  @Test("a missing file and a folder are different errors")
  func missing() throws {
    try withTemporaryFolder { folder in
      let none = folder.appendingPathComponent("none")
      let missing = try #require(throws: FileError.self) { try IdxFile(contentsOf: none, content: .images) }
      #expect(missing.kind == .missing)
      let asFolder = try #require(throws: FileError.self) { try IdxFile(contentsOf: folder, content: .images) }
      #expect(asFolder.kind == .invalid)
    }
  }

  @Test("a gzip file's checksum is verified, although it comes after the last element")
  func gzipChecksum() throws {
    var wrong = gzip(Self.images)
    wrong[wrong.count - 8] ^= 1
    #expect(try problem(wrong).contains("incorrect data check"))
  }

  @Test("bytes after the gzip content are an error")
  func garbageAfterGzip() throws {
    #expect(try problem(gzip(Self.images) + Data("tail".utf8)).contains("4 trailing bytes"))
    #expect(try problem(gzip(Self.images) + gzip(Data([1]))).contains("has more than the 12 bytes"))
  }

  @Test("a plain file that is too short or too long is an error")
  func wrongLength() throws {
    for length in 0..<Self.images.count {
      #expect(throws: FileError.self, "after \(length) bytes") { try read(Self.images.prefix(length)) }
    }
    #expect(try problem(Self.images.dropLast()).contains("truncated"))
    #expect(try problem(Self.images.prefix(6)).contains("ends within its header"))
    #expect(try problem(Self.images + Data([0])).contains("has more than the 12 bytes"))
  }

  @Test("another format is refused by its magic number")
  func wrongMagic() throws {
    #expect(try problem(idx(0x801, [2], [1, 2])).contains("0x00000801, not with 0x00000803"))
    #expect(try problem(Data("a plain text".utf8)).contains("not an idx file of images"))
    #expect(try problem(Data()).contains("holds 0 bytes"))
  }

  @Test("a file without elements is an error", arguments: [[0, 28, 28], [5, 0, 28], [0, 0, 0]])
  func empty(dimensions: [Int]) throws {
    #expect(try problem(idx(0x803, dimensions, [])).contains("is empty"))
  }

  @Test(
    "sizes that exceed the file's length are refused before allocation",
    arguments: [
      [0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [0xffff_ffff, 0xffff_ffff, 1], [1 << 20, 64, 64], [60_000, 28, 28],
    ])
  func absurd(dimensions: [Int]) throws {
    for file in [idx(0x803, dimensions, [1, 2, 3]), gzip(idx(0x803, dimensions, [1, 2, 3]))] {
      let problem = try problem(file)
      #expect(problem.contains("more than the limit of 4 GiB") || problem.contains("has at most"))
    }
  }

  private func read(_ content: Data) throws -> IdxFile {
    var file: IdxFile?
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("file")
      try content.write(to: url)
      file = try IdxFile(contentsOf: url, content: .images)
    }
    return file!
  }

  private func problem(_ content: Data) throws -> String {
    let error = try #require(throws: FileError.self) { try read(content) }
    #expect(error.kind == .invalid)
    #expect(error.path.hasSuffix("/file"))
    return error.problem
  }
}

/// An idx file's bytes.
func idx(_ magic: Int, _ dimensions: [Int], _ bytes: [UInt8]) -> Data {
  Data(([magic] + dimensions).flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } } + bytes)
}
