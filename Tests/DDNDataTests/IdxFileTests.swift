import CZlib
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

  @Test("concatenated gzip members are one content")
  func members() throws {
    let parts = gzip(Self.images.prefix(9)) + gzip(Data()) + gzip(Self.images.dropFirst(9))
    #expect(try read(parts).bytes == Array(1...12))
  }

  @Test("content larger than zlib's window is inflated")
  func large() throws {
    let bytes = (0..<300 * 28 * 28).map { UInt8(truncatingIfNeeded: $0 &* $0 / 7) }
    #expect(try read(gzip(idx(0x803, [300, 28, 28], bytes))).bytes == bytes)
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

  @Test("a gzip file truncated anywhere is an error")
  func truncatedGzip() throws {
    let whole = gzip(Self.images)
    for length in 2..<whole.count {
      #expect(try problem(whole.prefix(length)).contains("cut off"), "after \(length) bytes")
    }
  }

  @Test("a gzip file with a wrong CRC or a flipped bit is an error")
  func corruptedGzip() throws {
    var wrongCRC = gzip(Self.images)
    wrongCRC[wrongCRC.count - 8] ^= 1
    #expect(try problem(wrongCRC).contains("incorrect data check"))
    var wrongLength = gzip(Self.images)
    wrongLength[wrongLength.count - 4] ^= 1
    #expect(try problem(wrongLength).contains("incorrect length check"))
    // After the header, whose time stamp is ignored.
    let whole = gzip(Self.images)
    for position in 10..<whole.count {
      var flipped = whole
      flipped[position] ^= 0x10
      #expect(throws: FileError.self, "byte \(position)") { try read(flipped) }
    }
  }

  @Test("bytes after the gzip content are an error")
  func garbageAfterGzip() throws {
    #expect(try problem(gzip(Self.images) + Data("tail".utf8)).contains("4 bytes of something else"))
    #expect(try problem(gzip(Self.images) + gzip(Data([1]))).contains("has more than the 12 bytes"))
  }

  @Test("a plain file that is too short or too long is an error")
  func wrongLength() throws {
    for length in 0..<Self.images.count {
      #expect(throws: FileError.self, "after \(length) bytes") { try read(Self.images.prefix(length)) }
    }
    #expect(try problem(Self.images.dropLast()).contains("cut off"))
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

/// A gzip member, compressed by zlib.
func gzip(_ content: Data) -> Data {
  var stream = z_stream()
  let size = Int32(MemoryLayout<z_stream>.size)
  precondition(deflateInit2_(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK)
  var input = [UInt8](content)
  var output = [UInt8](repeating: 0, count: input.count * 2 + 100)
  let outputCount = output.count
  input.withUnsafeMutableBufferPointer { input in
    output.withUnsafeMutableBufferPointer { output in
      stream.next_in = input.baseAddress
      stream.avail_in = UInt32(input.count)
      stream.next_out = output.baseAddress
      stream.avail_out = UInt32(output.count)
      precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
    }
  }
  deflateEnd(&stream)
  return Data(output.prefix(outputCount - Int(stream.avail_out)))
}

/// Runs `body` with a new folder and removes it afterwards.
func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("data-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder)
}
