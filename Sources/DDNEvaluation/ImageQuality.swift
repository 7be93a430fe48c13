import Foundation
import Torch

/// How near an image is to another, as people measure it.
public struct ImageQuality: Sendable, Equatable {
  /// Mean over channels and pixels of the squared difference, in units of [-1, 1] squared.
  public let meanSquaredError: Double
  /// Structural similarity, at most 1 for equal images; mean over channels and windows.
  public let ssim: Double

  /// Peak signal-to-noise ratio in decibels; infinite for equal images. The range of values is 2.
  public var psnr: Double { 10 * log10(4 / meanSquaredError) }

  /// Compares images one by one.
  ///
  /// - Parameters:
  ///   - images: `[B, C, H, W]` in [-1, 1].
  ///   - targets: of the same shape.
  public static func compare(_ images: Tensor, to targets: Tensor) throws(TorchError) -> [ImageQuality] {
    precondition(images.shape == targets.shape, "images of \(images.shape) are compared to \(targets.shape)")
    return try withoutGradients { () throws(TorchError) in
      let errors = try (images - targets).squared().mean([1, 2, 3]).array(Double.self)  // [B]
      let similarities = try structuralSimilarity(images, targets).array(Double.self)
      return zip(errors, similarities).map { ImageQuality(meanSquaredError: $0, ssim: $1) }
    }
  }

  /// `[B]`, for values in a range of 2, by a Gaussian window of 11 pixels and deviation 1.5, or as many as images have.
  ///
  /// - Source: Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment" (2004), equation 13.
  private static func structuralSimilarity(_ images: Tensor, _ targets: Tensor) throws(TorchError) -> Tensor {
    let (batch, channels, height, width) = (images.shape[0], images.shape[1], images.shape[2], images.shape[3])
    let reach = min(5, (min(height, width) - 1) / 2)
    let bell = (-reach...reach).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
    let sum = bell.reduce(0, +)
    let side = bell.count
    let window = bell.flatMap { row in bell.map { Float(row * $0 / (sum * sum)) } }
    let kernel = try Tensor(window, shape: [1, 1, side, side]).to(images.device)
    func weighted(_ values: Tensor) throws(TorchError) -> Tensor {
      try values.reshaped([batch * channels, 1, height, width]).convolved(kernel, bias: nil)
    }
    let (meanX, meanY) = (try weighted(images), try weighted(targets))
    let varianceX = try weighted(images.squared()) - meanX.squared()
    let varianceY = try weighted(targets.squared()) - meanY.squared()
    let covariance = try weighted(images * targets) - meanX * meanY
    let (luminance, contrast) = (0.02 * 0.02, 0.06 * 0.06)  // (k L)^2 with k of 0.01 and 0.03, L of 2.
    let above = try (meanX * meanY * 2 + luminance) * (covariance * 2 + contrast)
    let below = try (meanX.squared() + meanY.squared() + luminance) * (varianceX + varianceY + contrast)
    return try (above / below).reshaped([batch, -1]).mean([1])
  }
}
