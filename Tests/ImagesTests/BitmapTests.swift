import Images
import Testing

@Suite("Bitmap")
struct BitmapTests {
  @Test("Zooming makes every pixel a square")
  func zoomed() {
    let gray = Bitmap(width: 2, height: 2, channels: 1, pixels: [1, 2, 3, 4])
    #expect(gray.zoomed(by: 2).pixels == [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4])
    let rgb = Bitmap(width: 2, height: 1, channels: 3, pixels: [1, 2, 3, 4, 5, 6])
    #expect(rgb.zoomed(by: 2).pixels == [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
    #expect(rgb.zoomed(by: 1) == rgb)
  }

  @Test(
    "Resizing gives the size that was asked for and keeps one shade",
    arguments: [(3, 5), (64, 7), (200, 300), (1, 1)])
  func resized(width: Int, height: Int) throws {
    let flat = Bitmap(width: 33, height: 21, channels: 3, shade: 90)
    let expected = Bitmap(width: width, height: height, channels: 3, shade: 90)
    #expect(try flat.resized(width: width, height: height) == expected)
  }

  @Test("Shrinking by Lanczos keeps left and right, and where it is dark")
  func resizedContent() throws {
    let halves = Bitmap(width: 40, height: 40, channels: 1, pixels: (0..<1600).map { $0 % 40 < 20 ? 0 : 200 })
    let small = try halves.resized(width: 4, height: 4)
    for row in 0..<4 {
      #expect(small.pixels[row * 4] < 20)
      #expect(abs(Int(small.pixels[row * 4 + 3]) - 200) < 20)
    }
  }
}
