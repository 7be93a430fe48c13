import Images
import Testing

@Suite("Bitmap")
struct BitmapTests {
  @Test("zooming repeats every pixel")
  func zoomed() {
    let gray = Bitmap(width: 2, height: 2, channels: 1, pixels: [1, 2, 3, 4])
    #expect(gray.zoomed(by: 2).pixels == [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4])
    let rgb = Bitmap(width: 2, height: 1, channels: 3, pixels: [1, 2, 3, 4, 5, 6])
    #expect(rgb.zoomed(by: 2).pixels == [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
    #expect(rgb.zoomed(by: 1) == rgb)
  }

  @Test(
    "resizing returns the requested size and keeps a constant image constant",
    arguments: [(3, 5), (64, 7), (200, 300), (1, 1)])
  func resized(width: Int, height: Int) throws {
    let flat = Bitmap(width: 33, height: 21, channels: 3, shade: 90)
    let expected = Bitmap(width: width, height: height, channels: 3, shade: 90)
    #expect(try flat.resized(width: width, height: height) == expected)
  }

  @Test("Lanczos keeps left and right, dark and light")
  func resizedContent() throws {
    let halves = Bitmap(width: 40, height: 40, channels: 1, pixels: (0..<1600).map { $0 % 40 < 20 ? 0 : 200 })
    let small = try halves.resized(width: 4, height: 4)
    for row in 0..<4 {
      #expect(small.pixels[row * 4] < 20)
      #expect(abs(Int(small.pixels[row * 4 + 3]) - 200) < 20)
    }
  }

  @Test("the box filter averages over each new pixel's area, fractions of pixels included")
  func boxed() throws {
    let row = Bitmap(width: 3, height: 1, channels: 1, pixels: [0, 90, 240])
    #expect(try row.resized(width: 1, height: 1, filter: .box).pixels == [110])
    // Each covers 1.5 pixels: (0 + 45) / 1.5, (45 + 240) / 1.5.
    #expect(try row.resized(width: 2, height: 1, filter: .box).pixels == [30, 190])
    #expect(try row.resized(width: 6, height: 2, filter: .box) == row.zoomed(by: 2))
    let rgb = Bitmap(width: 1, height: 2, channels: 3, pixels: [0, 100, 200, 10, 200, 100])
    #expect(try rgb.resized(width: 1, height: 1, filter: .box).pixels == [5, 150, 150])
    let flat = Bitmap(width: 33, height: 21, channels: 3, shade: 90)
    #expect(try flat.resized(width: 7, height: 13, filter: .box).pixels.allSatisfy { $0 == 90 })
  }

  @Test("cropping keeps the pixels within the rectangle")
  func cropped() {
    let image = Bitmap(width: 3, height: 2, channels: 3, pixels: Array(0..<18))
    let part = image.cropped(x: 1, y: 1, width: 2, height: 1)
    #expect(part == Bitmap(width: 2, height: 1, channels: 3, pixels: Array(12..<18)))
  }

  @Test("gray becomes three equal channels, and equal channels become that gray")
  func converted() throws {
    let gray = Bitmap(width: 4, height: 1, channels: 1, pixels: [0, 7, 128, 255])
    let rgb = try gray.converted(to: .rgb)
    #expect(rgb.pixels == [0, 0, 0, 7, 7, 7, 128, 128, 128, 255, 255, 255])
    #expect(try rgb.converted(to: .gray) == gray)
    #expect(try rgb.converted(to: .asStored) == rgb)
    // The same gray as from decoding a file.
    let colours = Bitmap(width: 2, height: 1, channels: 3, pixels: [250, 20, 90, 0, 200, 30])
    #expect(try colours.converted(to: .gray) == PNG.decode(PNG.encode(colours), channels: .gray))
  }
}
