import DDNEvaluation
import Images

/// Test images and what each method makes of them: a column per method, labelled with its rate.
public enum CompressionGrid {
  /// - Parameters:
  ///   - examples: at least one, with pictures of one size.
  ///   - zoom: screen pixels per pixel.
  /// - Throws: `ImageError`: see `Grid.draw`.
  public static func draw(_ examples: [CompressionEvaluation.Example], zoom: Int) throws(ImageError) -> Bitmap {
    let rows = examples.map(\.pictures.count).min() ?? 0
    return try Grid(
      columns: examples.count, gap: 3, zoom: zoom,
      columnLabels: examples.map { $0.rate.isEmpty ? $0.name : "\($0.name), \($0.rate)" }, textSize: 10
    ).draw((0..<rows).flatMap { row in examples.map { $0.pictures[row] } })
  }
}
