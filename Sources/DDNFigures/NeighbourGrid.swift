import Images

/// Images and their nearest training images: a row per image.
///
/// Source: paper, Figure 11.
public enum NeighbourGrid {
  /// - Parameters:
  ///   - images: in the left column.
  ///   - names: labels of the rows.
  ///   - neighbours: for each image the same number, from the nearest.
  ///   - captions: below each neighbour.
  ///   - zoom: screen pixels per pixel.
  /// - Throws: `ImageError`: see `Grid.draw`.
  public static func draw(
    _ images: [Bitmap], names: [String], neighbours: [[Bitmap]], captions: [[String]], zoom: Int
  ) throws(ImageError) -> Bitmap {
    let columns = neighbours.first?.count ?? 0
    return try Grid(
      columns: columns + 1, gap: 3, zoom: zoom, rowLabels: names,
      columnLabels: ["image"] + (0..<columns).map { "\($0 + 1)" },
      captions: captions.flatMap { [""] + $0 }, textSize: 10
    ).draw(zip(images, neighbours).flatMap { [$0] + $1 })
  }
}
