import DDN
import DDNPictures
import Images
import Torch

/// Reconstructions level by level: a row per image, the target and then every level's choice.
///
/// Source: paper, Figure 1a.
public enum ReconstructionGrid {
  /// - Parameters:
  ///   - targets: `[B, C, H, W]` in [-1, 1].
  ///   - levels: every level's chosen images, each `[B, C, h, w]`, enlarged to the target's size; at most 16 are shown.
  ///   - codes: labels of the rows; empty for none.
  ///   - title: above the grid; empty for none.
  ///   - zoom: screen pixels per pixel.
  public static func draw(
    targets: Tensor, levels: [Tensor], codes: [LatentCode] = [], title: String = "", zoom: Int = 2
  ) throws -> Bitmap {
    let shown = Reconstruction.shownLevels(of: levels.count)
    let size = (height: targets.shape[2], width: targets.shape[3])
    let columns =
      try [targets.bitmaps()]
      + shown.map { try levels[$0].resizedArea(height: size.height, width: size.width).bitmaps() }
    let cells = columns[0].indices.flatMap { row in columns.map { $0[row] } }
    return try Grid(
      columns: columns.count, gap: 2, zoom: zoom, title: title, rowLabels: codes.map(\.description),
      columnLabels: ["target"] + shown.map { "\($0 + 1)" }
    ).draw(cells)
  }
}
