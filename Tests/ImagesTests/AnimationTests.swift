import Foundation
import Images
import Testing

@Suite("Animations") struct AnimationTests {
  private static let frames = [10, 120, 250].map { Bitmap(width: 5, height: 4, channels: 3, shade: $0) }

  @Test("both formats hold every frame and loop endlessly", arguments: Animation.Format.allCases)
  func formats(format: Animation.Format) throws {
    let data = try Animation(Self.frames, milliseconds: 50).encode(format)
    switch format {
    case .gif:
      #expect(data.range(of: Data("NETSCAPE2.0".utf8)) != nil)
      // Graphic control extensions: 21 F9 04, flags, delay in hundredths of a second.
      let bytes = [UInt8](data)
      let delays = bytes.indices.dropLast(6).filter { Array(bytes[$0..<$0 + 3]) == [0x21, 0xF9, 4] }.map {
        bytes[$0 + 4]
      }
      #expect(delays == [5, 5, 5])
    case .webp:
      let frames = String(decoding: data, as: UTF8.self).components(separatedBy: "ANMF").count - 1
      #expect(frames == 3)
    }
    // A decoder returns the first frame.
    #expect(try PNG.decode(data, channels: .rgb).pixels.allSatisfy { abs(Int($0) - 10) <= 1 })
  }

  @Test("smaller frames are padded at the right and bottom")
  func sizes() {
    let small = Bitmap(width: 1, height: 1, channels: 1, shade: 7)
    let large = Bitmap(width: 2, height: 2, channels: 1, shade: 9)
    let animation = Animation([small, large], milliseconds: 10, background: 255)
    #expect(animation.frames[0].pixels == [7, 255, 255, 255])
    #expect(animation.frames[1] == large)
  }
}
