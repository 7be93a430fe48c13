import Foundation
import Images
import Testing

@Suite("Lossy picture formats") struct PictureCodecTests {
  /// A smooth picture with an edge.
  private static func picture(_ channels: Int, side: Int = 32) -> Bitmap {
    Bitmap(
      width: side, height: side, channels: channels,
      pixels: (0..<side * side * channels).map { place in
        let (row, column) = (place / channels / side, place / channels % side)
        return UInt8(clamping: 4 * row + (column > side / 2 ? 100 : 0) + 10 * (place % channels))
      })
  }

  private static func error(_ first: Bitmap, _ second: Bitmap) -> Double {
    zip(first.pixels, second.pixels).reduce(0) { $0 + pow(Double($1.0) - Double($1.1), 2) } / Double(first.pixels.count)
  }

  @Test("higher quality takes more bytes and makes a smaller error", arguments: PictureCodec.allCases, [1, 3])
  func quality(codec: PictureCodec, channels: Int) throws {
    if codec.unavailableReason != nil { return }  // This libvips lacks the format.
    let picture = Self.picture(channels)
    let files = try [0, 90].map { try codec.encode(picture, quality: $0) }
    let decoded = try files.map { try codec.decode($0, like: picture) }
    #expect(files[0].count < files[1].count)
    #expect(decoded.allSatisfy { $0.channels == channels && $0.width == 32 })
    #expect(Self.error(decoded[1], picture) < Self.error(decoded[0], picture))
    #expect(Self.error(decoded[1], picture) < 20)
    #expect(try codec.encode(picture, quality: 90) == files[1])
    #expect(try codec.constantBytes(like: picture, quality: 0) <= files[0].count)
  }

  @Test("settings are the format's") func settings() {
    #expect(PictureCodec.jpeg.setting(0) == "Q 1" && PictureCodec.webp.setting(0) == "Q 0")
    #expect(PictureCodec.jpegXL.setting(0) == "distance 15.0" && PictureCodec.jpegXL.setting(99) == "distance 0.15")
  }

  @Test("a file of another size and a damaged file are refused", arguments: PictureCodec.allCases)
  func refusals(codec: PictureCodec) throws {
    if codec.unavailableReason != nil { return }
    let file = try codec.encode(Self.picture(1), quality: 50)
    #expect(throws: ImageError.self) { try codec.decode(file, like: Self.picture(1, side: 16)) }
    #expect(throws: ImageError.self) { try codec.decode(file.prefix(12), like: Self.picture(1)) }
    #expect(throws: ImageError.self) { try codec.decode(Data(), like: Self.picture(1)) }
  }

  @Test("JPEG XL files from others are refused, also while one of ours is decoded") func blocked() async throws {
    if PictureCodec.jpegXL.unavailableReason != nil { return }
    let picture = Self.picture(3)
    let file = try PictureCodec.jpegXL.encode(picture, quality: 50)
    try await withThrowingTaskGroup { group in
      group.addTask { for _ in 0..<50 { _ = try PictureCodec.jpegXL.decode(file, like: picture) } }
      group.addTask {
        for _ in 0..<200 {
          let error = #expect(throws: ImageError.self) { try PNG.decode(file) }
          #expect(error?.problem.contains("unsafe") == true)
        }
      }
      try await group.waitForAll()
    }
  }
}
