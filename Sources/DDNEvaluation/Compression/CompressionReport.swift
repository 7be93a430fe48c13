import Foundation

/// Rate and distortion of a model and of the codes that it is compared with.
public struct CompressionReport: Codable, Sendable {
  public enum Method: String, Codable, Sendable, CaseIterable {
    case model, pca
    case kMeans = "residual-k-means"
    case jpeg, webp, avif
    case jpegXL = "jpeg-xl"

    public var name: String {
      switch self {
      case .model: "DDN"
      case .pca: "PCA code"
      case .kMeans: "residual k-means"
      case .jpeg: "JPEG"
      case .webp: "WebP"
      case .avif: "AVIF"
      case .jpegXL: "JPEG XL"
      }
    }
  }

  /// A method at one rate. Means are over images; quality is that of 8-bit pixels.
  public struct Row: Codable, Sendable, Equatable {
    public let method: Method
    /// "level 3", "138 bits", "Q 5".
    public let setting: String
    public let images: Int
    /// Bits per image of the code alone; of a picture file, without the bytes of a file of the same size in one shade.
    public let codeBits: Double
    /// Bytes per image of a whole file; nil for a code that has no file format.
    public let fileBytes: Double?
    /// In units of gray levels squared, 0...255.
    public let meanSquaredError: Double
    /// In dB, the mean over images; nil when an image equals its target.
    public let psnr: Double?
    public let ssim: Double
  }

  public let imageShape: [Int]
  /// Test images.
  public let count: Int
  /// Training images that PCA and k-means were fitted to; 0 without.
  public let trainingCount: Int
  /// Test images, from the first, that picture files were made of.
  public let pictureCount: Int
  /// In the order of methods and rates.
  public var rows: [Row]
  /// The `rows` of each picture format that compare with the model: the smallest, and the nearest in PSNR.
  public var comparable: [Row]
  /// Bytes per image when all test images are in one file; nil when unknown.
  public var dataSetFileBytes: Double?
  /// The PSNR in dB, of the mean error, that a code of Gaussian components with the training images' variances reaches
  /// at best at the model's bits; nil without PCA or without variance.
  public var gaussianBound: Double?
  /// What was left out, and why.
  public var notes: [String]

  public var pixels: Int { imageShape[1] * imageShape[2] }

  /// The rows of one method.
  public func rows(of method: Method) -> [Row] { rows.filter { $0.method == method } }
}

/// Sums of a row's quality, image by image.
struct QualitySums {
  private(set) var count = 0
  private var errors = 0.0
  private var psnrs = 0.0
  private var similarities = 0.0

  mutating func add(_ qualities: [ImageQuality]) {
    count += qualities.count
    for quality in qualities {
      errors += quality.meanSquaredError
      psnrs += quality.psnr
      similarities += quality.ssim
    }
  }

  var psnr: Double { psnrs / Double(count) }

  func row(
    _ method: CompressionReport.Method, _ setting: String, codeBits: Double, fileBytes: Double? = nil
  ) -> CompressionReport.Row {
    .init(
      method: method, setting: setting, images: count, codeBits: codeBits, fileBytes: fileBytes,
      meanSquaredError: errors / Double(count) * 127.5 * 127.5, psnr: psnr.isFinite ? psnr : nil,
      ssim: similarities / Double(count))
  }
}
