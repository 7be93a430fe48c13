import DDNEvaluation
import Foundation
import Testing
import Torch

@Suite("Image quality") struct ImageQualityTests {
  /// An image of 16 x 16 waves.
  private static func wave(_ frequency: Double, _ phase: Double, _ height: Double) -> [Float] {
    (0..<256).map { Float(sin(frequency * Double($0) + phase) * height) }
  }

  @Test("SSIM and error equal those of scikit-image and NumPy")
  func reference() throws {
    // structural_similarity(x, y, data_range=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    let x = try Tensor(Self.wave(0.1, 0, 0.8) + Self.wave(0.07, 1, 0.5), shape: [2, 1, 16, 16])
    let y = try Tensor(Self.wave(0.1, 0.2, 0.7) + Self.wave(0.09, 1, 0.6), shape: [2, 1, 16, 16])
    let found = try ImageQuality.compare(x, to: y)
    #expect(abs(found[0].ssim - 0.9312200510594896) < 2e-5)
    #expect(abs(found[1].ssim - 0.21416951533372705) < 2e-5)
    #expect(abs((found[0].meanSquaredError + found[1].meanSquaredError) / 2 - 0.18540499999267365) < 1e-6)
    // As two channels of one image: their mean.
    let both = try ImageQuality.compare(x.reshaped([1, 2, 16, 16]), to: y.reshaped([1, 2, 16, 16]))
    #expect(abs(both[0].ssim - (found[0].ssim + found[1].ssim) / 2) < 1e-6)
  }

  @Test(
    "equal images have an SSIM of 1 and infinite PSNR; images of one pixel can be compared", arguments: [1, 2, 8, 32])
  func equal(side: Int) throws {
    let image = try Tensor.full([1, 3, side, side], 0.25)
    let found = try ImageQuality.compare(image, to: image)[0]
    #expect(abs(found.ssim - 1) < 1e-6 && found.meanSquaredError == 0 && found.psnr == .infinity)
    let darker = try ImageQuality.compare(image - 0.2, to: image)[0]
    #expect(abs(darker.psnr - 20) < 1e-3)
    #expect(darker.ssim < 1)
  }
}
