import Images
import Torch

/// Rate and distortion of picture files in one format.
struct PictureRates {
  let codec: PictureCodec
  private let pictures: [Bitmap]
  private let targets: Tensor
  private var points: [Int: Point] = [:]

  struct Point {
    let quality: Int
    let row: CompressionReport.Row
    /// The first decoded pictures.
    let examples: [Bitmap]
  }

  /// Qualities of the curve; a curve ends where the files are far better than the model.
  private static let curve = [0, 2, 4, 9, 19, 39, 59, 79]
  private static let margin = 8.0

  /// - Parameters:
  ///   - codec: the format.
  ///   - targets: `[n, C, H, W]` in [-1, 1], of 8-bit pixels.
  init(_ codec: PictureCodec, targets: Tensor) throws {
    self.codec = codec
    self.targets = targets
    pictures = try targets.bitmaps()
  }

  /// Measures a curve, and the quality whose PSNR is nearest to the model's.
  ///
  /// - Parameters:
  ///   - psnr: the model's, in dB, on the same images.
  ///   - examples: pictures to keep of each point.
  ///   - check: called after every few pictures; throwing stops the work.
  /// - Returns: the curve by quality, and the nearest point.
  mutating func measure(
    near psnr: Double, examples: Int, check: () throws -> Void
  ) throws -> (curve: [Point], nearest: Point) {
    func value(_ quality: Int) throws -> Double { try point(quality, examples, check).row.psnr ?? .infinity }
    for quality in Self.curve where try value(quality) > psnr + Self.margin { break }
    // PSNR rises with quality, so bisection finds the first quality that reaches the model's.
    var (low, high) = (PictureCodec.qualities.lowerBound, PictureCodec.qualities.upperBound)
    while low < high {
      let middle = (low + high) / 2
      if try value(middle) < psnr { low = middle + 1 } else { high = middle }
    }
    _ = try value(max(low - 1, 0))
    let curve = points.values.sorted { $0.quality < $1.quality }
    func distance(_ point: Point) -> Double { abs((point.row.psnr ?? .infinity) - psnr) }
    return (curve, curve.min { distance($0) < distance($1) }!)
  }

  private mutating func point(_ quality: Int, _ examples: Int, _ check: () throws -> Void) throws -> Point {
    if let point = points[quality] { return point }
    let constant = try codec.constantBytes(like: pictures[0], quality: quality)
    var bytes = 0
    var decoded: [Bitmap] = []
    var tensors: [Tensor] = []
    for picture in pictures {
      let file = try codec.encode(picture, quality: quality)
      bytes += file.count
      decoded.append(try codec.decode(file, like: picture))
      tensors.append(try decoded.last!.tensor())
      try check()
    }
    var sums = QualitySums()
    sums.add(try ImageQuality.compare(.concatenate(tensors).to(targets.device), to: targets))
    let mean = Double(bytes) / Double(pictures.count)
    let method = CompressionReport.Method(rawValue: codec.rawValue)!
    let point = Point(
      quality: quality,
      row: sums.row(method, codec.setting(quality), codeBits: 8 * (mean - Double(constant)), fileBytes: mean),
      examples: Array(decoded.prefix(examples)))
    points[quality] = point
    return point
  }
}
