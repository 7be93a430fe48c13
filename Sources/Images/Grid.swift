/// Draws images of one size in rows and columns, with an optional title, labels and captions.
///
/// Row-major order. Cells are as large as the larger of image and label; the last row may be short.
public struct Grid: Sendable {
  /// Images per row.
  public var columns: Int
  /// Pixels between and around images.
  public var gap: Int
  /// Shade, 0 (black) to 255 (white). Text is black on light and white on dark backgrounds.
  public var background: UInt8
  /// Integer enlargement of the images.
  public var zoom: Int
  /// One line at the top left.
  public var title: String
  /// One per row, at its left; or empty.
  public var rowLabels: [String]
  /// One per column, above it; or empty.
  public var columnLabels: [String]
  /// One per image, below it; or empty.
  public var captions: [String]
  /// Font size in pixels.
  public var textSize: Int

  public init(
    columns: Int, gap: Int = 2, background: UInt8 = 255, zoom: Int = 1, title: String = "", rowLabels: [String] = [],
    columnLabels: [String] = [], captions: [String] = [], textSize: Int = 14
  ) {
    precondition(columns >= 1, "\(columns) columns are fewer than 1")
    precondition(gap >= 0, "the gap \(gap) is negative")
    precondition(zoom >= 1, "the zoom factor \(zoom) is below 1")
    precondition(textSize >= 1, "the text size \(textSize) is below 1")
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

  /// Draws the grid: gray when all images are, RGB otherwise.
  ///
  /// - Throws: `ImageError` when there are no images, their sizes differ, the number of labels does not match, the grid
  ///   exceeds the limits of `PNG.decode`, or labels are given and no font is installed.
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

  /// Draws one label; `y` is the top of the box that fits all of `labels`, so that they share a baseline.
  private func draw(_ labels: Labels, _ index: Int, onto canvas: inout Bitmap, x: Int, y: Int) {
    guard labels.lines.indices.contains(index), let mask = labels.lines[index].ink else { return }
    let (paper, ink) = (Int(background), background >= 128 ? 0 : 255)
    let shaded = mask.pixels.map { UInt8((paper * (255 - Int($0)) + ink * Int($0) + 127) / 255) }
    let text = Bitmap(width: mask.width, height: mask.height, channels: 1, pixels: shaded)
    canvas.paste(canvas.channels == 3 ? text.inRGB() : text, x: x, y: y + labels.lines[index].top - labels.top)
  }
}

/// Lines of text that share a font size and a baseline.
private struct Labels {
  let lines: [TextLine]
  /// The first row with ink, from the lines' top.
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

/// Positions of a grid's parts, in pixels.
private struct Layout {
  let title: Labels
  let rowLabels: Labels
  let columnLabels: Labels
  let captions: Labels

  let width: Int
  let height: Int
  /// Around the grid.
  let margin: Int
  let columnLabelTop: Int
  private let firstColumn: Int
  private let firstRow: Int
  private let cellWidth: Int
  private let cellHeight: Int
  /// Including the space above the caption.
  private let captionHeight: Int
  private let gap: Int

  init(_ grid: Grid, _ images: [Bitmap]) throws(ImageError) {
    guard let first = images.first else {
      throw ImageError(problem: "the grid has no images", remedy: "give it at least one")
    }
    if let other = images.first(where: { $0.width != first.width || $0.height != first.height }) {
      throw ImageError(
        problem: "the grid has images of \(first.width) x \(first.height) and \(other.width) x \(other.height) pixels",
        remedy: "give it images of one size")
    }
    let rows = (images.count + grid.columns - 1) / grid.columns
    try Self.check(grid.rowLabels, against: rows, named: "row")
    try Self.check(grid.columnLabels, against: grid.columns, named: "column")
    try Self.check(grid.captions, against: images.count, named: "image")

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
        remedy: "draw fewer images or zoom less")
    }
  }

  private static func check(_ labels: [String], against count: Int, named name: String) throws(ImageError) {
    guard labels.isEmpty || labels.count == count else {
      throw ImageError(
        problem: "there are \(labels.count) \(name) labels for \(count) \(name)s",
        remedy: "give one per \(name), or none")
    }
  }

  /// The left edge of a part of `width` that is centred in a column.
  func left(ofColumn column: Int, width: Int) -> Int {
    firstColumn + column * (cellWidth + gap) + (cellWidth - width) / 2
  }

  /// The top edge of a part of `height` that is centred in a row.
  func top(ofRow row: Int, height: Int) -> Int {
    firstRow + row * (cellHeight + captionHeight + gap) + (cellHeight - height) / 2
  }

  /// The top edge of a row's captions.
  func captionTop(ofRow row: Int) -> Int {
    firstRow + row * (cellHeight + captionHeight + gap) + cellHeight + captionHeight - captions.height
  }
}
