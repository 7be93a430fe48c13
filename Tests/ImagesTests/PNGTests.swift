import DDNFiles
import Foundation
import Images
import Testing

@Suite("PNG")
struct PNGTests {
  /// All values, so that swapped rows, columns or channels show.
  private static func image(width: Int, height: Int, channels: Int) -> Bitmap {
    Bitmap(
      width: width, height: height, channels: channels,
      pixels: (0..<width * height * channels).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 / 256) })
  }

  @Test("gray and RGB images round-trip exactly", arguments: [1, 3])
  func roundTrip(channels: Int) throws {
    let image = Self.image(width: 31, height: 17, channels: channels)
    #expect(try PNG.decode(PNG.encode(image)) == image)
  }

  @Test("the same pixels give the same bytes", arguments: [1, 3])
  func deterministic(channels: Int) throws {
    let image = Self.image(width: 64, height: 64, channels: channels)
    #expect(try PNG.encode(image) == PNG.encode(image))
  }

  @Test("the size is known before decoding, also of a file whose end is missing") func size() throws {
    let data = try PNG.encode(Self.image(width: 31, height: 17, channels: 3))
    #expect(try PNG.size(of: data) == (31, 17))
    #expect(try PNG.size(of: data.prefix(data.count / 2)) == (31, 17))
    #expect(throws: ImageError.self) { try PNG.size(of: Data("neither".utf8)) }
    #expect(throws: ImageError.self) { try PNG.size(of: Data()) }
    #expect(throws: ImageError.self) { try PNG.opacity(of: data) }
  }

  @Test("a written file is read back, as gray or RGB on request")
  func file() throws {
    try withTemporaryFolder { folder in
      let gray = Self.image(width: 5, height: 4, channels: 1)
      let url = folder.appendingPathComponent("gray.png")
      try gray.write(to: url)
      #expect(try PNG.read(url) == gray)
      #expect(try PNG.read(url, channels: .gray) == gray)
      #expect(try PNG.read(url, channels: .rgb).pixels == gray.pixels.flatMap { [$0, $0, $0] })
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["gray.png"])
    }
  }

  @Test("writing into a missing folder is an error")
  func missingFolder() throws {
    let url = URL(fileURLWithPath: "/nonexistent/image.png")
    let error = try #require(throws: FileError.self) {
      try Self.image(width: 2, height: 2, channels: 1).write(to: url)
    }
    #expect(error.kind == .failed)
    #expect(error.path == url.path)
  }

  @Test("a truncated PNG is an error, not a half-gray image", arguments: [8, 20, 33, 60, 300, 1000])
  func truncated(length: Int) throws {
    // Noise, so that the file is long.
    var generator = SystemRandomNumberGenerator()
    let noise = (0..<64 * 64).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let whole = try PNG.encode(Bitmap(width: 64, height: 64, channels: 1, pixels: noise))
    #expect(throws: ImageError.self) { try PNG.decode(whole.prefix(length)) }
  }

  @Test("a file that is not an image is an error with its path", arguments: ["", "a plain text\n", "\u{89}PNG\r\n"])
  func noImage(content: String) throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("image.png")
      try Data(content.utf8).write(to: url)
      let error = try #require(throws: FileError.self) { try PNG.read(url) }
      #expect(error.kind == .invalid)
      #expect(error.path == url.path)
      #expect(!error.description.contains("\n"))
    }
  }

  @Test("a folder and a missing file are different errors")
  func folderAndMissing() throws {
    try withTemporaryFolder { folder in
      let asFolder = try #require(throws: FileError.self) { try PNG.read(folder) }
      #expect(asFolder.kind == .invalid)
      let missing = try #require(throws: FileError.self) { try PNG.read(folder.appendingPathComponent("none.png")) }
      #expect(missing.kind == .missing)
    }
  }

  @Test(
    "a small file that declares a huge image is refused before decoding",
    arguments: [(2_000_000_000, 1), (16_385, 1), (16_384, 16_384), (8_192, 8_193)])
  func huge(width: Int, height: Int) throws {
    let error = try #require(throws: ImageError.self) {
      try PNG.decode(Self.pngDeclaring(width: width, height: height))
    }
    #expect(width > 1_000_000 || error.problem.contains("\(width) x \(height) pixels are too many"))
  }

  /// A PNG with a valid header and hardly any pixels.
  private static func pngDeclaring(width: Int, height: Int) -> Data {
    var png = Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    func chunk(_ type: String, _ body: [UInt8]) {
      let content = Array(type.utf8) + body
      png.append(contentsOf: bigEndian(body.count) + content + bigEndian(Int(crc32(content))))
    }
    chunk("IHDR", bigEndian(width) + bigEndian(height) + [8, 0, 0, 0, 0])
    chunk("IDAT", [0x78, 0x9c, 0x63, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01])
    chunk("IEND", [])
    return png
  }

  private static func bigEndian(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  private static func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0xedb8_8320 : 0) }
    }
  }
}

/// Runs `body` with a new folder and removes it afterwards.
func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("images-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder)
}
