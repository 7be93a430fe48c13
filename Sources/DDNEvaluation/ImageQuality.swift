import Foundation
import Torch

/// Error, PSNR and SSIM of an image.
public struct ImageQuality: Codable, Sendable, Equatable {
  /// Mean squared error over channels and pixels, in units of [-1, 1] squared.
  public let meanSquaredError: Double
  /// Structural similarity, the mean over channels and windows; 1 for equal images.
  public let ssim: Double

  /// Peak signal-to-noise ratio in dB, for a data range of 2; infinite for equal images.
  public var psnr: Double { 10 * log10(4 / meanSquaredError) }

  /// Compares each image to its target.
  ///
  /// - Parameters:
  ///   - images: `[B, C, H, W]` in [-1, 1]; `written()` makes them those of a file.
  ///   - targets: of the same shape.
  public static func compare(_ images: Tensor, to targets: Tensor) throws(TorchError) -> [ImageQuality] {
    precondition(images.shape == targets.shape, "images of \(images.shape) are compared to \(targets.shape)")
    return try withoutGradients { () throws(TorchError) in
      let errors = try (images - targets).squared().mean([1, 2, 3]).array(Double.self)  // [B]
      let similarities = try structuralSimilarity(images, targets).array(Double.self)
      return zip(errors, similarities).map { ImageQuality(meanSquaredError: $0, ssim: $1) }
    }
  }

  /// `[B]`, SSIM for a data range of 2, with a Gaussian window of 11 pixels, or fewer for smaller images, and sigma
  /// 1.5.
  ///
  /// - Source: Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment" (2004), equation 13.
  private static func structuralSimilarity(_ images: Tensor, _ targets: Tensor) throws(TorchError) -> Tensor {
    let (batch, channels, height, width) = (images.shape[0], images.shape[1], images.shape[2], images.shape[3])
    let radius = min(5, (min(height, width) - 1) / 2)
    let gaussian = (-radius...radius).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
    let sum = gaussian.reduce(0, +)
    let side = gaussian.count
    let window = gaussian.flatMap { row in gaussian.map { Float(row * $0 / (sum * sum)) } }
    let kernel = try Tensor(window, shape: [1, 1, side, side]).to(images.device)
    func filtered(_ values: Tensor) throws(TorchError) -> Tensor {
      try values.reshaped([batch * channels, 1, height, width]).convolved(kernel, bias: nil)
    }
    let (meanX, meanY) = (try filtered(images), try filtered(targets))
    let varianceX = try filtered(images.squared()) - meanX.squared()
    let varianceY = try filtered(targets.squared()) - meanY.squared()
    let covariance = try filtered(images * targets) - meanX * meanY
    let (luminance, contrast) = (0.02 * 0.02, 0.06 * 0.06)  // (k L)^2 with k of 0.01 and 0.03, L of 2.
    let numerator = try (meanX * meanY * 2 + luminance) * (covariance * 2 + contrast)
    let denominator = try (meanX.squared() + meanY.squared() + luminance) * (varianceX + varianceY + contrast)
    return try (numerator / denominator).reshaped([batch, -1]).mean([1])
  }
}
