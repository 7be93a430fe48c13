import DDN
import Images
import Torch

/// Collects the quality of a model at every level, and of PCA and k-means at the same bits, batch by batch.
struct LevelMeasurement {
  private let bits: [Double]
  private let baselines: BaselineCodes
  /// The levels whose rates PCA and k-means are measured at.
  private let shown: [Int]
  private let pictureCount: Int
  private let exampleCount: Int
  private var model: [QualitySums]
  private var pca: [QualitySums]
  private var kMeans: [QualitySums]
  /// Of the model on the first `pictureCount` images alone.
  private(set) var firstPSNRs: [Double] = []
  private var firstTargets: [Tensor] = []
  /// Of the first images at the last level, by method.
  private var examples: [CompressionReport.Method: [Bitmap]] = [:]

  /// - Parameters:
  ///   - bits: of a code up to each level.
  ///   - baselines: to measure beside the model.
  ///   - pictureCount: test images to keep, from the first.
  ///   - exampleCount: the same for examples; at most `pictureCount`.
  init(bits: [Double], baselines: BaselineCodes, pictureCount: Int, exampleCount: Int) {
    (self.bits, self.baselines) = (bits, baselines)
    (self.pictureCount, self.exampleCount) = (pictureCount, exampleCount)
    shown = Reconstruction.shownLevels(of: bits.count)
    model = bits.map { _ in QualitySums() }
    (pca, kMeans) = (shown.map { _ in QualitySums() }, shown.map { _ in QualitySums() })
  }

  /// `[n, C, H, W]`, the first test images.
  func targets() throws(TorchError) -> Tensor { try .concatenate(firstTargets) }

  /// The first test images and what each method makes of them at all bits.
  func pictures(of method: CompressionReport.Method) -> [Bitmap]? { examples[method] }

  /// Adds a batch.
  ///
  /// - Parameters:
  ///   - targets: `[B, C, H, W]` in [-1, 1].
  ///   - levels: the model's images at every level, each `[B, C, h, w]`.
  mutating func add(_ targets: Tensor, levels: [Tensor]) throws {
    try withoutGradients {
      let size = (height: targets.shape[2], width: targets.shape[3])
      if firstPSNRs.count < pictureCount {
        firstTargets.append(try targets.slice(0, 0..<min(pictureCount - firstPSNRs.count, targets.shape[0])))
      }
      for (level, images) in levels.enumerated() {
        let isFull = images.shape == targets.shape
        let enlarged = try isFull ? images : images.resizedBilinear(height: size.height, width: size.width)
        let qualities = try compare(enlarged, targets, level == levels.count - 1 ? .model : nil)
        model[level].add(qualities)
        if level == levels.count - 1 {
          firstPSNRs += qualities.prefix(pictureCount - firstPSNRs.count).map(\.psnr)
        }
      }
      if let code = baselines.pca {
        let decoded = try code.reconstructions(of: targets, bits: shown.map { Self.wholeBits(bits[$0]) })
        for (place, images) in decoded.enumerated() {
          pca[place].add(try compare(images, targets, place == shown.count - 1 ? .pca : nil))
        }
      }
      try baselines.kMeans?.reconstruct(targets) { stage, images in
        guard let place = shown.firstIndex(of: stage) else { return }
        kMeans[place].add(try compare(images, targets, place == shown.count - 1 ? .kMeans : nil))
      }
    }
  }

  /// The quality of images as 8-bit pixels; keeps the first ones of an example.
  private mutating func compare(
    _ images: Tensor, _ targets: Tensor, _ example: CompressionReport.Method?
  ) throws(TorchError) -> [ImageQuality] {
    let written = try images.written()
    if let example {
      let missing = exampleCount - examples[example, default: []].count
      if missing > 0 {
        examples[example, default: []] += try written.slice(0, 0..<min(missing, images.shape[0])).bitmaps()
      }
    }
    return try ImageQuality.compare(written, to: targets)
  }

  /// A code of whole bits gets the last fraction, too.
  private static func wholeBits(_ bits: Double) -> Int { Int(bits.rounded(.up)) }

  /// - Parameter fileBytes: per image of a whole code in the model's format; nil when unknown.
  func rows(fileBytes: Double?) -> [CompressionReport.Row] {
    var rows = model.enumerated().map { level, sums in
      sums.row(
        .model, "level \(level + 1)", codeBits: bits[level], fileBytes: level == bits.count - 1 ? fileBytes : nil)
    }
    for (place, level) in shown.enumerated() where baselines.pca != nil {
      let whole = Self.wholeBits(bits[level])
      rows.append(pca[place].row(.pca, "\(whole) bits", codeBits: Double(whole)))
    }
    for (place, level) in shown.enumerated() where baselines.kMeans != nil {
      rows.append(kMeans[place].row(.kMeans, "stage \(level + 1)", codeBits: bits[level]))
    }
    return rows
  }
}
