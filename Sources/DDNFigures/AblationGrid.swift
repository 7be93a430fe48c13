import Images

/// Rows of an ablation study beside each other: random images of the same seeds, and reconstructions of the same images.
///
/// Source: paper, Figures 12 to 15.
public enum AblationGrid {
  /// A row of images; all rows have as many.
  public struct Row: Sendable {
    let label: String
    let samples: [Bitmap]
    let training: [Bitmap]
    let test: [Bitmap]

    /// - Parameters:
    ///   - label: at the left.
    ///   - samples: of random codes; at least one.
    ///   - training: reconstructions of training images.
    ///   - test: reconstructions of test images; empty for none.
    public init(label: String, samples: [Bitmap], training: [Bitmap], test: [Bitmap]) {
      (self.label, self.samples, self.training, self.test) = (label, samples, training, test)
    }
  }

  /// - Parameters:
  ///   - training: images that every row reconstructs, in the first row.
  ///   - test: the same for test images; empty for none.
  ///   - rows: below; at least one.
  /// - Throws: `ImageError`: see `Grid.draw`.
  public static func draw(training: [Bitmap], test: [Bitmap], rows: [Row]) throws(ImageError) -> Bitmap {
    guard let first = rows.first?.samples.first else {
      throw ImageError(problem: "the study has no images", remedy: "give it at least one row")
    }
    let blank = Bitmap(width: first.width, height: first.height, channels: 1, shade: 255)
    let targets = Row(
      label: "images", samples: rows[0].samples.map { _ in blank }, training: training, test: test)
    func cells(_ row: Row) -> [Bitmap] {
      row.samples + [blank] + row.training + (row.test.isEmpty ? [] : [blank] + row.test)
    }
    func heads(_ title: String, _ images: [Bitmap]) -> [String] {
      [title] + [String](repeating: "", count: max(images.count - 1, 0))
    }
    let titles =
      heads("random", targets.samples) + [""] + heads("training", training)
      + (test.isEmpty ? [] : [""] + heads("test", test))
    return try Grid(
      columns: titles.count, gap: 2, zoom: max(1, 64 / max(first.width, first.height)),
      rowLabels: ([targets] + rows).map(\.label), columnLabels: titles
    ).draw(([targets] + rows).flatMap(cells))
  }
}
