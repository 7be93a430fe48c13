import Archives
import ArchivesSupport
import DDNFiles
import Foundation
import Testing

@Suite("TarArchive")
struct TarArchiveTests {
  private static let files: [(name: String, content: Data)] = [
    ("a/one", Data("one".utf8)), ("a/two", Data(count: 1000)), ("b", Data()),
  ]

  @Test("wanted files are read by path, plain and gzip")
  func reads() throws {
    for bytes in [tar(Self.files), gzip(tar(Self.files))] {
      let files = try read(bytes) { $0.last != "two" }
      #expect(files == [["a", "one"]: Array("one".utf8), ["b"]: []])
    }
    #expect(TarArchive.begins([UInt8](tar(Self.files))) && !TarArchive.begins([UInt8](repeating: 0, count: 512)))
  }

  @Test("a truncated archive is an error, unless it ends between two files")
  func truncated() throws {
    let bytes = tar(Self.files)
    for length in [1, 511, 513, 1023, 1025, 1600, 2600] {
      #expect(try problem(bytes.prefix(length)).contains("truncated"), "after \(length) bytes")
    }
    #expect(try read(bytes.prefix(1024)).count == 1)
  }

  @Test("a changed header, a duplicate file and too large files are errors")
  func invalid() throws {
    var bytes = tar(Self.files)
    bytes[130] ^= 1
    #expect(try problem(bytes).contains("checksum is wrong"))
    #expect(try problem(tar([Self.files[0], Self.files[0]])).contains("twice"))
    #expect(try problem(tar(Self.files), maxBytes: 999).contains("more than the 999 expected"))
    #expect(try problem(tar(Self.files), maxTotalBytes: 1000).contains("more than 1000 bytes"))
  }

  private func read(
    _ bytes: Data, maxBytes: Int = 1 << 20, maxTotalBytes: Int = .max, isWanted: ([String]) -> Bool = { _ in true }
  ) throws -> [[String]: [UInt8]] {
    var files: [[String]: [UInt8]] = [:]
    try withTemporaryFolder { (folder) throws in
      let url = folder.appendingPathComponent("a.tar")
      try bytes.write(to: url)
      files = try TarArchive.read(url, maxBytes: maxBytes, maxTotalBytes: maxTotalBytes, isWanted: isWanted)
    }
    return files
  }

  private func problem(_ bytes: Data, maxBytes: Int = 1 << 20, maxTotalBytes: Int = .max) throws -> String {
    try #require(throws: FileError.self) {
      try read(bytes, maxBytes: maxBytes, maxTotalBytes: maxTotalBytes)
    }.problem
  }
}
