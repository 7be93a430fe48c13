import GoldenSupport
import Testing
import Torch

@testable import DDNGuidance

@Suite("Blur")
struct BlurKernelTests {
  private static let kernels: [BlurKernel] = [
    .gaussian(deviation: 0.7), .gaussian(deviation: 2.5), .motion(length: 9, degrees: 30),
    BlurKernel(radius: 1, weights: [0, 1, 2, 0, 0, 3, 1, 0, 5]), BlurKernel(radius: 0, weights: [3]),
  ]

  @Test("a coarse kernel is repeating pixels, blurring and averaging again", arguments: kernels, [2, 4, 8])
  func coarse(kernel: BlurKernel, factor: Int) throws {
    let images = try Tensor.uniform([2, 3, 4, 4], generator: Generator(seed: 1))
    let side = 4 * factor
    let expected = try kernel.blurred(images.resizedArea(height: side, width: side)).resizedArea(height: 4, width: 4)
    #expect(try deviation(of: kernel.coarsened(by: factor).blurred(images), from: expected) < 1e-5)
  }

  @Test("weights sum to 1, and a motion's direction is that of its angle") func weights() {
    for kernel in Self.kernels { #expect(abs(kernel.weights.reduce(0, +) - 1) < 1e-12) }
    let up = BlurKernel.motion(length: 5, degrees: 45)
    #expect(up.weights[1 * up.side + up.radius + 2] > 0)  // Right of the center, and above it.
    #expect(up.weights[(up.radius + 2) * up.side + up.radius + 2] == 0)
  }
}
