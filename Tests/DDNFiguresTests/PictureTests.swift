import DDN
import DDNFigures
import DDNPictures
import Images
import Testing
import Torch

@Suite("Image grids") struct PictureTests {
  @Test("pixels are x * 127.5 + 128, clamped to 0...255 and rounded down, like the original's")
  func pixelValues() throws {
    let image = try Tensor([-2, -1, -0.5, 0, 0.5, 1] as [Float], shape: [1, 1, 2, 3])
    #expect(try image.bitmaps() == [Bitmap(width: 3, height: 2, channels: 1, pixels: [0, 0, 64, 128, 191, 255])])
  }

  @Test("RGB images are interleaved, one bitmap per image")
  func colour() throws {
    let image = try Tensor([1, -1, -1, 1, -1, -1] as [Float], shape: [2, 3, 1, 1])
    #expect(try image.bitmaps().map(\.pixels) == [[255, 0, 0], [255, 0, 0]])
  }

  @Test("a bitmap survives a round trip through a tensor")
  func roundTrip() throws {
    let bitmap = Bitmap(width: 2, height: 2, channels: 3, pixels: Array(10..<22))
    #expect(try bitmap.tensor().bitmaps() == [bitmap])
  }

  @Test("a reconstruction grid has a row per image and a column per level, the target first")
  func reconstruction() throws {
    let (black, white) = (try Tensor.full([2, 1, 4, 4], -1), try Tensor.full([2, 1, 4, 4], 1))
    let plain = try ReconstructionGrid.draw(targets: black, levels: [white, white, white], zoom: 1)
    let titled = try ReconstructionGrid.draw(targets: black, levels: [white, white, white], title: "title", zoom: 1)
    #expect(titled.height > plain.height)
    let whitePixels = plain.pixels.filter { $0 == 255 }.count
    #expect(whitePixels >= 2 * 3 * 16)
    #expect(plain.pixels.filter { $0 == 0 }.count >= 2 * 16)
  }

  @Test("levels of lower resolution are enlarged to the target's size by repeating pixels")
  func smallLevels() throws {
    let target = try Tensor.full([1, 1, 4, 4], -1)
    let small = try Tensor([-1, 1, 1, -1] as [Float], shape: [1, 1, 2, 2])
    let repeated = [[-1, -1, 1, 1], [-1, -1, 1, 1], [1, 1, -1, -1], [1, 1, -1, -1]].flatMap { $0 as [Float] }
    let large = try Tensor(repeated, shape: [1, 1, 4, 4])
    #expect(
      try ReconstructionGrid.draw(targets: target, levels: [small], zoom: 1)
        == ReconstructionGrid.draw(targets: target, levels: [large], zoom: 1))
  }

  @Test("of many levels 16 are shown, including the first and the last")
  func manyLevels() throws {
    let image = try Tensor.full([1, 1, 4, 4], 1)
    let few = try ReconstructionGrid.draw(targets: image, levels: Array(repeating: image, count: 16), zoom: 8)
    let many = try ReconstructionGrid.draw(targets: image, levels: Array(repeating: image, count: 260), zoom: 8)
    #expect(few.width == many.width)
  }

  @Test("a study's picture has a row of targets above its rows, and a block for test images only if there are any")
  func ablation() throws {
    let black = Bitmap(width: 32, height: 32, channels: 1, shade: 0)
    let white = Bitmap(width: 32, height: 32, channels: 1, shade: 255)
    func row(_ test: [Bitmap]) -> AblationGrid.Row {
      .init(label: "row", samples: [black, black, black], training: [white, white], test: test)
    }
    let whole = try AblationGrid.draw(training: [black, black], test: [black], rows: [row([black]), row([black])])
    let without = try AblationGrid.draw(training: [black, black], test: [], rows: [row([])])
    // Two more columns of 64 pixels and their gaps, one more row.
    #expect(whole.width == without.width + 2 * 66 && whole.height == without.height + 66)
    // Enlarged twice: three samples of each row, and the targets of training.
    let ink = whole.pixels.filter { $0 == 0 }.count
    #expect(ink >= (2 * 3 + 2 + 1 + 2) * 64 * 64 && ink < (2 * 3 + 2 + 1 + 2) * 64 * 64 + 2000)
    #expect(throws: ImageError.self) { try AblationGrid.draw(training: [black], test: [], rows: []) }
  }

  @Test("a demo page shows its images, errors and codes")
  func demoPage() throws {
    let code = try LatentCode([3, 0, 7], in: CodeSpace(nodes: 8, levels: 3, side: 32))
    let page = DemoPage(
      codeSpace: code.space, seconds: 60, errors: [0.25, 0.125], codes: [(UInt8(4), code)])
    for text in ["samples.png", "reconstructions.png", "0.25", "0.125", "3.0.7", "9 bits", "60 seconds"] {
      #expect(page.html.contains(text))
    }
  }
}
