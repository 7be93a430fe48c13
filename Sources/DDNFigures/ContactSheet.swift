import DDNData
import DDNFiles
import Images

/// A grid of images of a data set: a row per class, or the first images without classes.
public enum ContactSheet {
  private static let columns = 10
  private static let maxRows = 20
  private static let maxSide = 128

  /// Images are stretched to the size of the first; undecodable ones, which the summary of the data set lists, are
  /// skipped.
  ///
  /// - Throws: `FileError` when none can be decoded; `ImageError`.
  public static func draw(_ source: any ImageSource) throws -> Bitmap {
    var rows: [(label: String, images: [Bitmap])] = []
    for (label, indices) in choose(source) {
      var images: [Bitmap] = []
      for index in indices where images.count < columns {
        if let image = try? source.bitmap(index, channels: .asStored) { images.append(image) }
      }
      if !images.isEmpty { rows.append((label, images)) }
    }
    guard let first = rows.first?.images[0] else {
      throw FileError(
        .invalid, path: source.name, problem: "has no image that can be decoded", remedy: "choose another data set")
    }
    let scale = min(1, Double(maxSide) / Double(max(first.width, first.height)))
    let width = max(1, Int(Double(first.width) * scale))
    let height = max(1, Int(Double(first.height) * scale))
    let blank = Bitmap(width: width, height: height, channels: 1, shade: 255)
    var cells: [Bitmap] = []
    for row in rows {
      for image in row.images { cells.append(try image.resized(width: width, height: height)) }
      cells += [Bitmap](repeating: blank, count: columns - row.images.count)
    }
    let labels = source.labels == nil ? [] : rows.map(\.label)
    return try Grid(columns: columns, zoom: max(1, 64 / max(width, height)), rowLabels: labels).draw(cells)
  }

  /// Rows of image indices; of a class twice as many as needed, because some may be undecodable.
  private static func choose(_ source: any ImageSource) -> [(label: String, indices: [Int])] {
    guard let labels = source.labels else {
      return stride(from: 0, to: min(source.count, columns * columns), by: columns).map { start in
        ("", Array(start..<min(source.count, start + columns)))
      }
    }
    let names = source.classNames
    var indices: [Int: [Int]] = [:]
    for (index, label) in labels.enumerated() where indices[label, default: []].count < 2 * columns {
      indices[label, default: []].append(index)
    }
    return indices.keys.sorted().prefix(maxRows).map { (names?[$0] ?? String($0), indices[$0]!) }
  }
}
