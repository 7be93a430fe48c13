/// Draws pictures of one size in rows and columns, with a title, labels and captions where they are given.
///
/// The first picture is at the top left, the second to its right. All are surrounded by `gap` pixels of background.
/// Columns and rows grow where their labels need more room than the pictures; a last row may be short.
public struct Grid: Sendable {
  /// Pictures in a row.
  public var columns: Int
  /// Pixels between pictures and around them.
  public var gap: Int
  /// The shade between pictures: 0 (black) to 255 (white). Text is black on light and white on dark.
  public var background: UInt8
  /// Every pixel of a picture becomes a square of this many pixels on a side.
  public var zoom: Int
  /// One line above all, from the left edge.
  public var title: String
  /// One for each row, left of it; or none.
  public var rowLabels: [String]
  /// One for each column, above it; or none.
  public var columnLabels: [String]
  /// One for each picture, under it; or none.
  public var captions: [String]
  /// The font's size in pixels.
  public var textSize: Int

  public init(
    columns: Int, gap: Int = 2, background: UInt8 = 255, zoom: Int = 1, title: String = "", rowLabels: [String] = [],
    columnLabels: [String] = [], captions: [String] = [], textSize: Int = 14
  ) {
    precondition(columns >= 1, "a grid of \(columns) columns holds nothing")
    precondition(gap >= 0, "a gap of \(gap) pixels is less than none")
    precondition(zoom >= 1, "a zoom of \(zoom) is not at least 1")
    precondition(textSize >= 1, "text of \(textSize) pixels cannot be drawn")
    self.columns = columns
    self.gap = gap
    self.background = background
    self.zoom = zoom
    self.title = title
    self.rowLabels = rowLabels
    self.columnLabels = columnLabels
    self.captions = captions
    self.textSize = textSize
  }

  /// Draws the grid: gray when all pictures are, RGB otherwise.
  ///
  /// - Throws: `ImageError` when there are no pictures, their sizes differ, the number of labels is not the number of
  ///   rows, columns or pictures, the grid would be larger than `PNG.decode` reads, or there are labels and no font is installed.
  public func draw(_ images: [Bitmap]) throws(ImageError) -> Bitmap {
    let layout = try Layout(self, images)
    let channels = images.contains { $0.channels == 3 } ? 3 : 1
    var canvas = Bitmap(width: layout.width, height: layout.height, channels: channels, shade: background)

    for (index, image) in images.enumerated() {
      let (row, column) = index.quotientAndRemainder(dividingBy: columns)
      let zoomed = (channels == 3 ? image.inRGB() : image).zoomed(by: zoom)
      canvas.paste(
        zoomed, x: layout.left(ofColumn: column, width: zoomed.width),
        y: layout.top(ofRow: row, height: zoomed.height))
      guard layout.captions.lines.indices.contains(index) else { continue }
      draw(
        layout.captions, index, onto: &canvas,
        x: layout.left(ofColumn: column, width: layout.captions.lines[index].width), y: layout.captionTop(ofRow: row))
    }
    draw(layout.title, 0, onto: &canvas, x: layout.margin, y: layout.margin)
    for (column, line) in layout.columnLabels.lines.enumerated() {
      draw(
        layout.columnLabels, column, onto: &canvas, x: layout.left(ofColumn: column, width: line.width),
        y: layout.columnLabelTop)
    }
    for row in layout.rowLabels.lines.indices {
      draw(
        layout.rowLabels, row, onto: &canvas, x: layout.margin,
        y: layout.top(ofRow: row, height: layout.rowLabels.height))
    }
    return canvas
  }

  /// Draws one of some labels; `y` is the top of the box that would hold any of them, so that they share a baseline.
  private func draw(_ labels: Labels, _ index: Int, onto canvas: inout Bitmap, x: Int, y: Int) {
    guard labels.lines.indices.contains(index), let mask = labels.lines[index].ink else { return }
    let (paper, ink) = (Int(background), background >= 128 ? 0 : 255)
    let shaded = mask.pixels.map { UInt8((paper * (255 - Int($0)) + ink * Int($0) + 127) / 255) }
    let text = Bitmap(width: mask.width, height: mask.height, channels: 1, pixels: shaded)
    canvas.paste(canvas.channels == 3 ? text.inRGB() : text, x: x, y: y + labels.lines[index].top - labels.top)
  }
}

/// Lines of text of one size that share a baseline.
private struct Labels {
  let lines: [TextLine]
  /// The first row of any ink, counted from the lines' top.
  let top: Int
  let width: Int
  let height: Int

  init(_ texts: [String], size: Int) throws(ImageError) {
    var lines: [TextLine] = []
    for text in texts { lines.append(try TextLine(text, size: size)) }
    let inked = lines.filter { $0.ink != nil }
    self.lines = lines
    top = inked.map(\.top).min() ?? 0
    width = inked.map(\.width).max() ?? 0
    height = (inked.map(\.bottom).max() ?? 0) - top
  }
}

/// Where everything in a grid goes, in pixels.
private struct Layout {
  let title: Labels
  let rowLabels: Labels
  let columnLabels: Labels
  let captions: Labels

  let width: Int
  let height: Int
  /// Background around all.
  let margin: Int
  let columnLabelTop: Int
  private let firstColumn: Int
  private let firstRow: Int
  private let cellWidth: Int
  private let cellHeight: Int
  /// What a caption takes below a picture, space between them included.
  private let captionHeight: Int
  private let gap: Int

  init(_ grid: Grid, _ images: [Bitmap]) throws(ImageError) {
    guard let first = images.first else {
      throw ImageError(problem: "a grid of no pictures cannot be drawn", remedy: "give it at least one")
    }
    if let other = images.first(where: { $0.width != first.width || $0.height != first.height }) {
      throw ImageError(
        problem: "a grid cannot hold \(first.width) x \(first.height) and \(other.width) x \(other.height) pixels",
        remedy: "give it pictures of one size")
    }
    let rows = (images.count + grid.columns - 1) / grid.columns
    try Self.check(grid.rowLabels, against: rows, named: "row")
    try Self.check(grid.columnLabels, against: grid.columns, named: "column")
    try Self.check(grid.captions, against: images.count, named: "picture")

    gap = grid.gap
    title = try Labels(grid.title.isEmpty ? [] : [grid.title], size: grid.textSize)
    rowLabels = try Labels(grid.rowLabels, size: grid.textSize)
    columnLabels = try Labels(grid.columnLabels, size: grid.textSize)
    captions = try Labels(grid.captions, size: grid.textSize)
    let spacing = max(grid.gap, grid.textSize / 2)
    captionHeight = captions.height == 0 ? 0 : captions.height + spacing
    margin = [title, rowLabels, columnLabels, captions].allSatisfy { $0.height == 0 } ? grid.gap : spacing

    cellWidth = max(first.width * grid.zoom, columnLabels.width, captions.width)
    cellHeight = max(first.height * grid.zoom, rowLabels.height)
    columnLabelTop = margin + (title.height == 0 ? 0 : title.height + spacing)
    firstRow = columnLabelTop + (columnLabels.height == 0 ? 0 : columnLabels.height + spacing)
    firstColumn = margin + (rowLabels.width == 0 ? 0 : rowLabels.width + spacing)
    width = max(firstColumn + grid.columns * (cellWidth + gap) - gap, margin + title.width) + margin
    height = firstRow + rows * (cellHeight + captionHeight + gap) - gap + margin
    guard width <= Vips.maxSide, height <= Vips.maxSide, width * height <= Vips.maxPixels else {
      throw ImageError(
        problem: "a grid of \(width) x \(height) is too large (\(Vips.maxSide) on a side, \(Vips.maxPixels) in all)",
        remedy: "draw fewer pictures, or zoom less")
    }
  }

  private static func check(_ labels: [String], against count: Int, named name: String) throws(ImageError) {
    guard labels.isEmpty || labels.count == count else {
      throw ImageError(
        problem: "there are \(labels.count) \(name) labels for \(count) \(name)s",
        remedy: "give one a \(name), or none")
    }
  }

  /// The left edge of something of `width` in the middle of a column.
  func left(ofColumn column: Int, width: Int) -> Int {
    firstColumn + column * (cellWidth + gap) + (cellWidth - width) / 2
  }

  /// The top edge of something of `height` in the middle of a row.
  func top(ofRow row: Int, height: Int) -> Int {
    firstRow + row * (cellHeight + captionHeight + gap) + (cellHeight - height) / 2
  }

  /// The top edge of a row's captions.
  func captionTop(ofRow row: Int) -> Int {
    firstRow + row * (cellHeight + captionHeight + gap) + cellHeight + captionHeight - captions.height
  }
}
