import Foundation
import Images
import Testing

@Suite("Grid")
struct GridTests {
  private static func tile(_ shade: UInt8, width: Int = 3, height: Int = 2, channels: Int = 1) -> Bitmap {
    Bitmap(width: width, height: height, channels: channels, shade: shade)
  }

  /// The shade of the pixel at (`x`, `y`), which must be gray.
  private static func shade(_ bitmap: Bitmap, _ x: Int, _ y: Int) -> UInt8 {
    let start = (y * bitmap.width + x) * bitmap.channels
    let pixel = Set(bitmap.pixels[start..<start + bitmap.channels])
    #expect(pixel.count == 1)
    return pixel.first!
  }

  @Test("images are placed row by row, with the gap between and around them", arguments: [1, 3])
  func geometry(channels: Int) throws {
    let tiles = (1...5).map { Self.tile(UInt8($0), channels: channels) }
    let grid = try Grid(columns: 3, gap: 2, background: 250, zoom: 4).draw(tiles)
    #expect(grid.channels == channels)
    #expect(grid.width == 3 * 12 + 4 * 2)
    #expect(grid.height == 2 * 8 + 3 * 2)
    for y in 0..<grid.height {
      for x in 0..<grid.width {
        let (column, columnOffset) = (x / 14, x % 14)
        let (row, rowOffset) = (y / 10, y % 10)
        let isGap = columnOffset < 2 || rowOffset < 2 || row * 3 + column >= 5
        #expect(Self.shade(grid, x, y) == (isGap ? 250 : UInt8(row * 3 + column + 1)), "at (\(x), \(y))")
      }
    }
  }

  @Test("captions are drawn below their images and enlarge every row")
  func captions() throws {
    let tiles = (0..<4).map { _ in Self.tile(200, width: 40, height: 10) }
    let plain = try Grid(columns: 2, gap: 2, textSize: 12).draw(tiles)
    let titled = try Grid(columns: 2, gap: 2, captions: ["a", "b", "c", "d"], textSize: 12).draw(tiles)
    let room = (titled.height - plain.height) / 2
    #expect(room > 8 && titled.width > plain.width)
    // All ink is below the images.
    let inked = (0..<titled.height).filter { y in (0..<titled.width).contains { Self.shade(titled, $0, y) < 100 } }
    let imageRows = (0..<titled.height).filter { y in (0..<titled.width).contains { Self.shade(titled, $0, y) == 200 } }
    #expect(!inked.isEmpty)
    #expect(inked.allSatisfy { $0 > imageRows[9] })
    #expect(throws: ImageError.self) { try Grid(columns: 2, captions: ["a"]).draw(tiles) }
  }

  @Test("without a gap, images touch")
  func noGap() throws {
    let grid = try Grid(columns: 2, gap: 0).draw([Self.tile(1), Self.tile(2)])
    #expect(grid == Bitmap(width: 6, height: 2, channels: 1, pixels: [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2]))
  }

  @Test("one RGB image makes the grid RGB, and gray ones stay gray in it")
  func mixed() throws {
    let red = Bitmap(width: 1, height: 1, channels: 3, pixels: [255, 0, 0])
    let grid = try Grid(columns: 2, gap: 0).draw([Self.tile(7, width: 1, height: 1), red])
    #expect(grid == Bitmap(width: 2, height: 1, channels: 3, pixels: [7, 7, 7, 255, 0, 0]))
  }

  @Test("labels and a title are drawn beside the images, not over them", arguments: [0, 255] as [UInt8])
  func labels(background: UInt8) throws {
    let tiles = (0..<4).map { _ in Self.tile(100, width: 40, height: 40) }
    let plain = try Grid(columns: 2, background: background).draw(tiles)
    var grid = Grid(columns: 2, background: background)
    grid.title = "Title <1> & more"
    grid.rowLabels = ["first", ""]
    grid.columnLabels = ["a", "g"]
    let labelled = try grid.draw(tiles)
    #expect(labelled.width > plain.width)
    #expect(labelled.height > plain.height)
    let ink: UInt8 = background == 0 ? 255 : 0
    #expect(!plain.pixels.contains(ink))
    #expect(labelled.pixels.contains(ink))
    #expect(labelled.pixels.count { $0 == 100 } >= 4 * 1600)
    grid.title = "Another <1> & more"
    #expect(try grid.draw(tiles) != labelled)
  }

  @Test("column labels share a baseline above their columns")
  func baseline() throws {
    var grid = Grid(columns: 2, gap: 4, background: 255)
    grid.columnLabels = ["xx", "gg"]
    let drawn = try grid.draw([Self.tile(100, width: 40, height: 10), Self.tile(100, width: 40, height: 10)])
    let center = drawn.width / 2
    func inkRows(_ columns: Range<Int>) -> [Int] {
      (0..<drawn.height).filter { y in columns.contains { Self.shade(drawn, $0, y) < 60 } }
    }
    let (x, g) = (inkRows(0..<center), inkRows(center..<drawn.width))
    let (xTop, gTop) = (try #require(x.first), try #require(g.first))
    #expect(abs(xTop - gTop) <= 1)
    let (xBottom, gBottom) = (try #require(x.last), try #require(g.last))
    #expect(xBottom < gBottom)
  }

  @Test("a column is as wide as its label")
  func wideLabel() throws {
    var grid = Grid(columns: 2)
    grid.columnLabels = ["a rather long label", "b"]
    let drawn = try grid.draw([Self.tile(100), Self.tile(100)])
    #expect(drawn.width > 2 * 80)
    #expect(drawn.pixels.count { $0 == 100 } >= 12)
  }

  @Test("errors name what cannot be drawn")
  func errors() throws {
    let two = [Self.tile(1), Self.tile(2)]
    func problem(_ grid: Grid, _ tiles: [Bitmap]) throws -> String {
      try #require(throws: ImageError.self) { try grid.draw(tiles) }.problem
    }
    #expect(try problem(Grid(columns: 2), []).contains("no images"))
    #expect(try problem(Grid(columns: 2), [Self.tile(1), Self.tile(1, width: 4)]).contains("3 x 2 and 4 x 2"))
    #expect(try problem(Grid(columns: 2, rowLabels: ["a", "b"]), two).contains("2 row labels for 1 row"))
    #expect(try problem(Grid(columns: 2, columnLabels: ["a"]), two).contains("1 column labels for 2 columns"))
    #expect(try problem(Grid(columns: 2, zoom: 10_000), two).contains("too large"))
  }

  @Test("without a font, a label is an error that names a package to install, and a plain grid still works")
  func noFont() async {
    // In a separate process: the font configuration is read once.
    await #expect(processExitsWith: .success) {
      let configuration = FileManager.default.temporaryDirectory.appendingPathComponent("no-fonts-\(getpid()).conf")
      try Data("<?xml version=\"1.0\"?><fontconfig></fontconfig>".utf8).write(to: configuration)
      defer { try? FileManager.default.removeItem(at: configuration) }
      setenv("FONTCONFIG_FILE", configuration.path, 1)
      let tile = Bitmap(width: 3, height: 3, channels: 1, shade: 9)
      let error = try #require(throws: ImageError.self) { try Grid(columns: 1, title: "Title").draw([tile]) }
      #expect(error.description.contains("fonts-dejavu-core"))
      #expect(try Grid(columns: 1, gap: 0).draw([tile]) == tile)
    }
  }
}
