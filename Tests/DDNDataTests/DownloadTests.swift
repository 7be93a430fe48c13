import ArchivesSupport
import DDNFiles
import Foundation
import Testing

@testable import DDNData

@Suite("Download")
struct DownloadTests {
  private static let content = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* $0 / 11) })

  private static func file(sha256: String? = nil) throws -> PublishedDataset.File {
    var sum = sha256
    if sum == nil {
      try withTemporaryFolder { (folder) throws in
        let url = folder.appendingPathComponent("content")
        try content.write(to: url)
        sum = try SHA256.checksum(of: url)
      }
    }
    return PublishedDataset.File(name: "file.bin", bytes: content.count, sha256: sum!)
  }

  @Test("SHA-256 of FIPS 180's example")
  func sha256() throws {
    try withTemporaryFolder { (folder) throws in
      let url = folder.appendingPathComponent("abc")
      try Data("abc".utf8).write(to: url)
      let sum = try SHA256.checksum(of: url)
      #expect(sum == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
  }

  @Test("a file is downloaded once")
  func fetch() throws {
    let server = try FileServer(["/data/file.bin": Self.content])
    try withTemporaryFolder { (folder) throws in
      let download = Download(try Self.file(), from: server.url.appendingPathComponent("data"), to: folder)
      #expect(try download.fetch())
      #expect(try Data(contentsOf: download.target) == Self.content)
      #expect(try Folder.names(in: folder) == ["file.bin"])
      #expect(try !download.fetch())
      #expect(server.requests.count == 1)
      try Data("other".utf8).write(to: download.target)
      #expect(try #require(throws: FileError.self) { try download.fetch() }.problem.contains("checksum is wrong"))
    }
  }

  @Test("a partial download is resumed, or restarted if the server has no ranges", arguments: [true, false])
  func resume(supportsRanges: Bool) throws {
    let server = try FileServer(["/file.bin": Self.content], supportsRanges: supportsRanges)
    try withTemporaryFolder { (folder) throws in
      try Self.content.prefix(60_000).write(to: folder.appendingPathComponent(".file.bin.part"))
      let download = Download(try Self.file(), from: server.url, to: folder)
      #expect(try download.fetch())
      #expect(try Data(contentsOf: download.target) == Self.content)
      #expect(server.requests[0].contains("bytes=60000-"))
    }
  }

  @Test("a wrong checksum, length or HTTP status is an error and leaves no file")
  func wrong() throws {
    let server = try FileServer([
      "/file.bin": Self.content, "/short/file.bin": Self.content.dropLast(), "/long/file.bin": Self.content + [1],
    ])
    try withTemporaryFolder { (folder) throws in
      func failure(_ path: String, sha256: String? = nil) throws -> FileError {
        let base = server.url.appendingPathComponent(path)
        return try #require(throws: FileError.self) {
          try Download(Self.file(sha256: sha256), from: base, to: folder).fetch()
        }
      }
      let changed = try failure("", sha256: String(repeating: "0", count: 64))
      #expect(changed.kind == .invalid && changed.problem.contains("wrong checksum"))
      #expect(try failure("short").problem.contains("99999 of 100000 bytes"))
      #expect(try failure("long").kind == .failed)
      let none = try failure("none")
      #expect(none.kind == .failed && none.problem.contains("server refuses") && none.problem.contains("404"))
      #expect(try !Folder.names(in: folder).contains("file.bin"))
    }
  }

  @Test("without a network, the error has a remedy")
  func noNetwork() throws {
    let closed = try FileServer([:]).url  // The server is gone.
    try withTemporaryFolder { (folder) throws in
      let error = try #require(throws: FileError.self) {
        try Download(Self.file(), from: closed, to: folder).fetch()
      }
      #expect(error.kind == .failed && error.problem.contains("no network"))
      #expect(error.remedy.contains(folder.appendingPathComponent("file.bin").path))
    }
  }

  @Test("every published file has a SHA-256 and a unique name")
  func published() {
    for dataset in PublishedDataset.allCases {
      #expect(Set(dataset.files.map(\.name)).count == dataset.files.count)
      for file in dataset.files {
        #expect(file.sha256.wholeMatch(of: /[0-9a-f]{64}/) != nil && file.bytes > 0)
      }
    }
  }
}
