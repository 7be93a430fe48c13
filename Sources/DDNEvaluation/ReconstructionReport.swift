import DDN
import Foundation
import Torch

/// Quality of reconstructions: error, PSNR and SSIM per image and on average, and bits per code. PSNR and SSIM are those of
/// 8-bit images, as files hold them; errors of levels are the training loss.
public struct ReconstructionReport {
  /// Bits per image.
  public let bits: Double
  /// Bits per pixel.
  public let bitsPerPixel: Double
  public private(set) var codes: [LatentCode] = []
  public private(set) var qualities: [ImageQuality] = []
  private var names: [String] = []
  /// Empty for a network without classes.
  private var classes: [Int] = []
  private var errorSums: [Double] = []
  /// `[L]`, each level's side in pixels.
  private var sides: [Int] = []

  /// - Parameters:
  ///   - codeSpace: of the network.
  ///   - imageShape: `[C, H, W]`.
  public init(codeSpace: CodeSpace, imageShape: [Int]) {
    bits = codeSpace.bits
    bitsPerPixel = bits / Double(imageShape[1] * imageShape[2])
  }

  /// A report's images, to be sent to another process.
  private struct Part: Codable {
    let codes: [[Int]]
    let qualities: [ImageQuality]
    let names: [String]
    let classes: [Int]
    let errorSums: [Double]
    let sides: [Int]
  }

  /// The images so far, for `add(_:)` in another process.
  public func data() throws -> Data {
    try PropertyListEncoder().encode(
      Part(
        codes: codes.map(\.choices), qualities: qualities, names: names, classes: classes, errorSums: errorSums,
        sides: sides))
  }

  /// Adds the images of another process's report.
  ///
  /// - Parameters:
  ///   - data: the other report's `data()`.
  ///   - space: of the codes.
  public mutating func add(_ data: Data, space: CodeSpace) throws {
    let part = try PropertyListDecoder().decode(Part.self, from: data)
    codes += try part.codes.map { try LatentCode($0, in: space) }
    qualities += part.qualities
    names += part.names
    classes += part.classes
    if part.codes.isEmpty { return }
    sides = part.sides
    errorSums = errorSums.isEmpty ? part.errorSums : zip(errorSums, part.errorSums).map(+)
  }

  /// Images so far.
  public var count: Int { codes.count }

  /// Adds a batch.
  ///
  /// - Parameters:
  ///   - result: codes, images and errors of the batch.
  ///   - targets: `[B, C, H, W]` in [-1, 1].
  ///   - names: `[B]`, names of the images in the table.
  ///   - classes: `[B]`, classes that the network is conditioned on; nil for a network without classes.
  public mutating func add(
    _ result: Reconstruction, targets: Tensor, names: [String], classes: [Int]? = nil
  ) throws(TorchError) {
    codes += result.codes
    self.classes += classes ?? []
    self.names += names
    qualities += try ImageQuality.compare(result.levels.last!.written(), to: targets)
    sides = result.levels.map { $0.shape[2] }
    let sums = result.errors.map { $0.reduce(0, +) }
    errorSums = errorSums.isEmpty ? sums : zip(errorSums, sums).map(+)
  }

  /// `[L]`, each level's mean squared error, averaged over images.
  public var errorsOfLevels: [Double] { errorSums.map { $0 / Double(count) } }

  /// A line with the error of each level.
  public var levelLines: [String] {
    sides.indices.map { level in
      let size = Set(sides).count > 1 ? "  \(sides[level])x\(sides[level])" : ""
      return "level \(level + 1)\(size)  error \(String(format: "%.4f", errorsOfLevels[level]))"
    }
  }

  /// Mean over images; infinite if an image equals its target.
  public var meanPSNR: Double { qualities.reduce(0) { $0 + $1.psnr } / Double(count) }
  public var meanSSIM: Double { qualities.reduce(0) { $0 + $1.ssim } / Double(count) }

  /// One line.
  public var summary: String {
    let distinct = Set(codes).count
    return String(
      format:
        "%d image\(count == 1 ? "" : "s"): PSNR %.2f dB, SSIM %.4f, %.1f bits each (%.4f a pixel), %d different code\(distinct == 1 ? "" : "s")",
      count, meanPSNR, meanSSIM, bits, bitsPerPixel, distinct)
  }

  /// A line per image with name, code and class, if any, in the format of `CodeList`.
  public var codeLines: String {
    codes.indices.map { index in
      let name = names[index].split(whereSeparator: \.isNewline).joined(separator: " ")
      return CodeList.line(name: name, codes[index], classIndex: classes.isEmpty ? nil : classes[index]) + "\n"
    }.joined()
  }

  /// A line per image as comma-separated values (RFC 4180).
  public var csv: String {
    let rows = codes.indices.map { index in
      let name = "\"\(names[index].replacingOccurrences(of: "\"", with: "\"\""))\""
      let numbers = String(
        format: "%.6f,%.3f,%.5f,%.1f,%.5f", qualities[index].meanSquaredError, qualities[index].psnr,
        qualities[index].ssim, bits, bitsPerPixel)
      return "\(name),\(numbers),\(codes[index])\n"
    }
    return "image,mse,psnr_db,ssim,bits,bits_per_pixel,code\n" + rows.joined()
  }
}
