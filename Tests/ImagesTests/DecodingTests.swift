import Foundation
import Images
import Testing

/// Small files that libvips's own encoders wrote.
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

  @Test("A JPEG is gray as it is stored, and RGB on demand")
  func gray() throws {
    let picture = try PNG.decode(Self.jpeg)
    #expect((picture.width, picture.height, picture.channels) == (16, 8, 1))
    #expect(picture.pixels.prefix(16) == [0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255])
    #expect(try PNG.decode(Self.jpeg, channels: .rgb).channels == 3)
  }

  @Test("A picture that its EXIF data turns is turned: the left half becomes the upper one")
  func turned() throws {
    let exif = Data("Exif\0\0MM\0*\0\0\0\u{8}\0\u{1}\u{1}\u{12}\0\u{3}\0\0\0\u{1}\0\u{6}\0\0\0\0\0\0".utf8)
    let turned = Self.jpeg.prefix(2) + [0xff, 0xe1, 0, UInt8(exif.count + 2)] + exif + Self.jpeg.dropFirst(2)
    let picture = try PNG.decode(turned)
    #expect((picture.width, picture.height) == (8, 16))
    #expect(picture.pixels == [UInt8](repeating: 0, count: 64) + [UInt8](repeating: 255, count: 64))
  }

  @Test("A JPEG that is cut off is an error", arguments: [10, 100, 250, 300])
  func cut(length: Int) {
    #expect(throws: ImageError.self) { try PNG.decode(Self.jpeg.prefix(length)) }
  }

  @Test("WebP, and PNG that is interlaced, give the pixels that were written")
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

  @Test("What is transparent becomes white, and 16 bits become 8")
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

  private static func bytes(_ base64: String) -> Data {
    Data(base64Encoded: base64, options: .ignoreUnknownCharacters)!
  }
}
