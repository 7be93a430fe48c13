import Foundation
import Images
import Testing

/// Small files written by libvips's encoders.
@Suite("Decoding")
struct DecodingTests {
  /// 16 x 8 gray: the left half black, the right half white.
  private static let jpeg = bytes(
    """
    /9j/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/wAALCAAIABABAREA/8QA
    HwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2Jy
    ggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5
    usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/APyqr+qiv//Z
    """)

  @Test("a gray JPEG decodes to 1 channel, or to RGB on request")
  func gray() throws {
    let image = try PNG.decode(Self.jpeg)
    #expect((image.width, image.height, image.channels) == (16, 8, 1))
    #expect(image.pixels.prefix(16) == [0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255])
    #expect(try PNG.decode(Self.jpeg, channels: .rgb).channels == 3)
  }

  @Test("EXIF orientation is applied: the left half becomes the upper one")
  func orientation() throws {
    let exif = Data("Exif\0\0MM\0*\0\0\0\u{8}\0\u{1}\u{1}\u{12}\0\u{3}\0\0\0\u{1}\0\u{6}\0\0\0\0\0\0".utf8)
    let rotated = Self.jpeg.prefix(2) + [0xff, 0xe1, 0, UInt8(exif.count + 2)] + exif + Self.jpeg.dropFirst(2)
    let image = try PNG.decode(rotated)
    #expect((image.width, image.height) == (8, 16))
    #expect(image.pixels == [UInt8](repeating: 0, count: 64) + [UInt8](repeating: 255, count: 64))
  }

  @Test("a truncated JPEG is an error", arguments: [10, 100, 250, 300])
  func truncated(length: Int) {
    #expect(throws: ImageError.self) { try PNG.decode(Self.jpeg.prefix(length)) }
  }

  @Test("WebP and interlaced PNG decode exactly")
  func otherFiles() throws {
    let pixels = (0..<24).map { UInt8($0 * 10) }
    let webp = Self.bytes("UklGRjAAAABXRUJQVlA4TCMAAAAvA0AAAD8gFkz+QeQPGsR4nMJj/hPbIRAgYwtatGgR0f/ABgA=")
    let interlaced = Self.bytes(
      """
      iVBORw0KGgoAAAANSUhEUgAAAAQAAAACCAIAAAGHzdqiAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAJUlEQVQImWNg4BJhsHELYJDTMIpKyWOoaOqZtmDV
      ln0nLt15BgBepArJdaxQiAAAAABJRU5ErkJggg==
      """)
    for file in [webp, interlaced] {
      #expect(try PNG.decode(file) == Bitmap(width: 4, height: 2, channels: 3, pixels: pixels))
    }
  }

  @Test("portable pixmaps decode; blocked formats are refused with a remedy") func otherFormats() throws {
    let pixels = [UInt8](0..<12)
    #expect(
      try PNG.decode(Data("P6\n2 2\n255\n".utf8) + Data(pixels))
        == Bitmap(width: 2, height: 2, channels: 3, pixels: pixels))
    #expect(throws: ImageError.self) { try PNG.decode(Data("P6\n2 2\n255\n".utf8) + Data(pixels.dropLast())) }
    var bmp = Data("BM".utf8)
    for number in [70, 0, 54, 40, 2, 2] as [UInt32] { bmp += withUnsafeBytes(of: number.littleEndian) { Data($0) } }
    bmp += Data([1, 0, 24, 0]) + Data(count: 24 + 16)
    let error = try #require(throws: ImageError.self) { try PNG.decode(bmp) }
    #expect(!error.problem.contains("blocked") && !error.remedy.isEmpty, "\(error)")
  }

  @Test("transparency is blended with white, and 16 bits become 8")
  func alphaAndDepth() throws {
    let alpha = Self.bytes(
      "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAD0lEQVQImWM4kWL0H4gZABPcA7wIAwfEAAAAAElF"
        + "TkSuQmCC")
    #expect(try PNG.decode(alpha).pixels == [200, 100, 50, 255, 255, 255])
    let deep = Self.bytes(
      "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABEAAAAACB2fwVAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAADUlEQVQImWMQMvnPAAAC5wFGXayH1gAAAABJRU5E"
        + "rkJggg==")
    let shades = try PNG.decode(deep).pixels  // 0x1234 and 0xff00; libvips may round either way.
    #expect(shades[0] == 0x12 && shades[1] >= 0xfe)
  }

  /// A gray TIFF of 2 x 1 samples.
  ///
  /// - Parameter format: 1 unsigned, 2 signed, 3 float.
  private static func tiff(bits: Int, format: Int, _ samples: Data) -> Data {
    func bytes<Number: FixedWidthInteger>(_ number: Number) -> Data {
      withUnsafeBytes(of: number.littleEndian) { Data($0) }
    }
    let tags: [(Int, Int)] = [
      (256, 2), (257, 1), (258, bits), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, samples.count),
      (339, format),
    ]
    var file = Data("II*\0".utf8) + bytes(UInt32(8 + samples.count)) + samples + bytes(UInt16(tags.count))
    for (tag, value) in tags { file += bytes(UInt16(tag)) + bytes(UInt16(4)) + bytes(UInt32(1)) + bytes(UInt32(value)) }
    return file + bytes(UInt32(0))
  }

  private static func floats(_ values: Float...) -> Data { values.withUnsafeBytes { Data($0) } }
  private static func shorts(_ values: UInt16...) -> Data { values.withUnsafeBytes { Data($0) } }

  @Test("floats in [0, 1] become 0...255, and full-range 16-bit samples become 8-bit")
  func knownRanges() throws {
    #expect(try PNG.decode(Self.tiff(bits: 32, format: 3, Self.floats(0.2, 1))).pixels == [51, 255])
    #expect(try PNG.decode(Self.tiff(bits: 32, format: 3, Self.floats(0, 0.5)), channels: .rgb).channels == 3)
    let deep = try PNG.decode(Self.tiff(bits: 16, format: 1, Self.shorts(0x1280, 0xff00))).pixels
    #expect(deep[0] == 0x12 && deep[1] >= 0xfe)
    #expect(try PNG.decode(Self.tiff(bits: 16, format: 1, Self.shorts(0, 0))).pixels == [0, 0])
  }

  @Test("samples of unknown range are refused, not turned black")
  func unknownRanges() throws {
    for (file, words) in [
      (Self.tiff(bits: 32, format: 3, Self.floats(0.2, 3)), "range from 0.2 to 3"),
      (Self.tiff(bits: 32, format: 3, Self.floats(-1, 1)), "range from -1 to 1"),
      (Self.tiff(bits: 32, format: 3, Self.floats(.nan, 1)), "not all finite"),
      (Self.tiff(bits: 16, format: 1, Self.shorts(100, 4095)), "largest of its 16-bit samples is 4095"),
      (Self.tiff(bits: 32, format: 1, Self.floats(0, 1)), "range is not known"),
    ] {
      let error = #expect(throws: ImageError.self) { try PNG.decode(file) }
      #expect(error?.problem.contains(words) ?? false, "\(String(describing: error))")
    }
  }

  private static func bytes(_ base64: String) -> Data {
    Data(base64Encoded: base64, options: .ignoreUnknownCharacters)!
  }
}
