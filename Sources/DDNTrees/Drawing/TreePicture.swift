import DDN
import Images

/// Draws a tree as recursive grids: each node's image in the middle of its children, the same coloured border around
/// both; leaves are small and have no border.
///
/// Source: paper, Figures 8 and 17.
public struct TreePicture {
  let root: TreeNode
  let layout: TreeLayout

  /// Borders by depth from the root.
  static let colours: [(red: UInt8, green: UInt8, blue: UInt8)] = [
    (200, 30, 30), (30, 80, 220), (20, 150, 60), (230, 140, 0), (140, 60, 190), (0, 160, 170),
  ]

  /// - Parameters:
  ///   - root: of as many levels as the layout has.
  ///   - layout: of the tree's nodes.
  public init(_ root: TreeNode, _ layout: TreeLayout) {
    self.root = root
    self.layout = layout
  }

  /// One node's part of the picture.
  struct Part {
    let image: Bitmap
    /// Of the image alone.
    let place: TreeLayout.Rectangle
    /// Of 1; rarely used nodes are paler.
    let opacity: Double
    /// Around the image and around the subtree, with the line's width; none for leaves.
    let borders: [TreeLayout.Rectangle]
    let line: Int
    let depth: Int
  }

  /// All parts, parents first.
  func parts(_ body: (Part) throws -> Void) rethrows {
    try visit(root, .init(x: 0, y: 0, side: layout.side), depth: 0, body)
  }

  private func visit(
    _ node: TreeNode, _ place: TreeLayout.Rectangle, depth: Int, _ body: (Part) throws -> Void
  ) rethrows {
    // A fair share is opaque.
    let opacity = node.use.map { 0.25 + 0.75 * min($0, 1) } ?? 1
    guard depth < layout.levels, !node.children.isEmpty else {
      return try body(Part(image: node.image, place: place, opacity: opacity, borders: [], line: 0, depth: depth))
    }
    let inner = layout.inner[depth]
    let own = inner.own(in: place)
    let picture = TreeLayout.Rectangle(
      x: own.x + inner.line, y: own.y + inner.line, side: max(1, own.side - 2 * inner.line))
    try body(
      Part(image: node.image, place: picture, opacity: opacity, borders: [place, own], line: inner.line, depth: depth))
    for (number, child) in node.children.enumerated() {
      guard let child else { continue }
      try visit(child, inner.child(number, in: place), depth: depth + 1, body)
    }
  }

  /// The picture in RGB.
  ///
  /// - Parameter progress: called with the number of nodes that are drawn; throwing aborts.
  /// - Throws: `ImageError`; what `progress` throws.
  public func bitmap(progress: (Int) throws -> Void = { _ in }) throws -> Bitmap {
    var pixels = [UInt8](repeating: 255, count: layout.side * layout.side * 3)
    var drawn = 0
    try parts { part in
      try progress(drawn)
      drawn += 1
      let colour = Self.colours[part.depth % Self.colours.count]
      for border in part.borders { Self.outline(border, part.line, colour, layout.side, &pixels) }
      let image = try Self.resized(part.image, part.place.side)
      for row in 0..<part.place.side {
        var target = ((part.place.y + row) * layout.side + part.place.x) * 3
        var source = row * part.place.side * image.channels
        for _ in 0..<part.place.side {
          for channel in 0..<3 {
            let value = Double(image.pixels[source + (image.channels == 3 ? channel : 0)])
            pixels[target + channel] = UInt8((255 + (value - 255) * part.opacity).rounded())
          }
          target += 3
          source += image.channels
        }
      }
    }
    return Bitmap(width: layout.side, height: layout.side, channels: 3, pixels: pixels)
  }

  /// Whole factors repeat pixels, as in other figures; a box filter, because libvips takes milliseconds for each image.
  private static func resized(_ image: Bitmap, _ side: Int) throws(ImageError) -> Bitmap {
    if side % image.width == 0 { return image.zoomed(by: side / image.width) }
    return try image.resized(width: side, height: side, filter: .box)
  }

  private static func outline(
    _ place: TreeLayout.Rectangle, _ line: Int, _ colour: (red: UInt8, green: UInt8, blue: UInt8), _ width: Int,
    _ pixels: inout [UInt8]
  ) {
    for row in 0..<place.side {
      let isEdge = row < line || row >= place.side - line
      for column in 0..<place.side where isEdge || column < line || column >= place.side - line {
        let target = ((place.y + row) * width + place.x + column) * 3
        (pixels[target], pixels[target + 1], pixels[target + 2]) = (colour.red, colour.green, colour.blue)
      }
    }
  }

  /// The picture as SVG, with every image embedded as PNG at its own resolution.
  ///
  /// - Parameter progress: called with the number of nodes that are drawn; throwing aborts.
  /// - Throws: `ImageError`; what `progress` throws.
  public func svg(progress: (Int) throws -> Void = { _ in }) throws -> String {
    var drawn = 0
    var lines = [
      """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(layout.side) \(layout.side)" width="\(layout.side)" \
      height="\(layout.side)">
      <rect width="100%" height="100%" fill="white"/>
      """
    ]
    try parts { part in
      try progress(drawn)
      drawn += 1
      let place = part.place
      let colour = Self.colours[part.depth % Self.colours.count]
      for border in part.borders {
        let (line, inset) = (part.line, Double(part.line) / 2)
        lines.append(
          #"<rect x="\#(Double(border.x) + inset)" y="\#(Double(border.y) + inset)" width="\#(border.side - line)" "#
            + #"height="\#(border.side - line)" fill="none" stroke-width="\#(line)" "#
            + #"stroke="rgb(\#(colour.red),\#(colour.green),\#(colour.blue))"/>"#)
      }
      let opacity = part.opacity < 1 ? #" opacity="\#((part.opacity * 100).rounded() / 100)""# : ""
      lines.append(
        #"<image x="\#(place.x)" y="\#(place.y)" width="\#(place.side)" height="\#(place.side)"\#(opacity) "#
          + #"style="image-rendering:pixelated" href="data:image/png;base64,\#(try PNG.encode(part.image).base64EncodedString())"/>"#
      )
    }
    return (lines + ["</svg>", ""]).joined(separator: "\n")
  }
}
