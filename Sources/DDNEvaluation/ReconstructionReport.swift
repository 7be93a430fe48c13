import DDN
import Foundation
import Torch

/// What codes keep of images: errors, PSNR and SSIM of every image and on average, bits of a code.
public struct ReconstructionReport {
  /// Bits of an image's code.
  public let bits: Double
  /// Bits of a code, divided by the pixels of an image.
  public let bitsPerPixel: Double
  public private(set) var codes: [LatentCode] = []
  public private(set) var qualities: [ImageQuality] = []
  private var names: [String] = []
  /// Empty for a network that knows no classes.
  private var classes: [Int] = []
  private var errorSums: [Double] = []
  /// `[L]`, pixels on a side of each level's images.
  private var sides: [Int] = []

  /// - Parameter imageShape: `[C, H, W]`.
  public init(codeSpace: CodeSpace, imageShape: [Int]) {
    bits = codeSpace.bits
    bitsPerPixel = bits / Double(imageShape[1] * imageShape[2])
  }

  /// Images so far.
  public var count: Int { codes.count }

  /// Adds a batch.
  ///
  /// - Parameters:
  ///   - targets: `[B, C, H, W]` in [-1, 1], what was reconstructed.
  ///   - names: `[B]`, what the table calls them.
  ///   - classes: `[B]`, what the network was conditioned on; nil for a network that knows no classes.
  public mutating func add(
    _ result: Reconstruction, targets: Tensor, names: [String], classes: [Int]? = nil
  ) throws(TorchError) {
    codes += result.codes
    self.classes += classes ?? []
    self.names += names
    qualities += try ImageQuality.compare(result.levels.last!, to: targets)
    sides = result.levels.map { $0.shape[2] }
    let sums = result.errors.map { $0.reduce(0, +) }
    errorSums = errorSums.isEmpty ? sums : zip(errorSums, sums).map(+)
  }

  /// Mean over images of each level's mean squared error.
  public var errorsOfLevels: [Double] { errorSums.map { $0 / Double(count) } }

  /// A line for each level, or for sixteen of them from the first to the last: its error, at the size that it works at.
  public var levelLines: [String] {
    return Reconstruction.shownLevels(of: sides.count).map { level in
      let size = Set(sides).count > 1 ? "  \(sides[level])x\(sides[level])" : ""
      return "level \(level + 1)\(size)  error \(String(format: "%.4f", errorsOfLevels[level]))"
    }
  }

  /// Means over images; equal images, whose PSNR is infinite, make the mean so.
  public var meanPSNR: Double { qualities.reduce(0) { $0 + $1.psnr } / Double(count) }
  public var meanSSIM: Double { qualities.reduce(0) { $0 + $1.ssim } / Double(count) }

  /// One line.
  public var summary: String {
    String(
      format:
        "%d image\(count == 1 ? "" : "s"): PSNR %.2f dB, SSIM %.4f, %.1f bits each (%.4f a pixel), %d different codes",
      count, meanPSNR,
      meanSSIM, bits, bitsPerPixel, Set(codes).count)
  }

  /// A line an image: its name, its code and, where there are classes, its class; as `CodeList` reads them.
  public var codeLines: String {
    codes.indices.map { index in
      let name = names[index].split(whereSeparator: \.isNewline).joined(separator: " ")
      return CodeList.line(name: name, codes[index], classIndex: classes.isEmpty ? nil : classes[index]) + "\n"
    }.joined()
  }

  /// A table with a line for every image, as comma-separated values (RFC 4180).
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
