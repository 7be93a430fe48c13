import GoldenSupport
import Testing
import Torch

@testable import DDN

/// 4x4 convolutions with stride 2, held to libtorch's in float64.
@Suite("4x4 convolutions down and up")
struct Convolution4x4Tests {
  static let shapes: [[Int]] = [
    // batch, inputs, outputs, height, width
    [64, 8, 8, 32, 32], [3, 16, 16, 16, 16], [70, 32, 32, 8, 8], [1, 1, 1, 4, 4], [7, 3, 5, 6, 10], [2, 9, 17, 2, 2],
  ]

  /// The output, and the gradients of its product with fixed numbers.
  private func run(_ shape: [Int], _ dtype: DType, isDown: Bool) throws -> [Tensor] {
    let generator = try Generator(seed: 3)
    let channels = isDown ? [shape[2], shape[1]] : [shape[1], shape[2]]
    let leaves = [
      try Tensor.normal([shape[0], shape[1], shape[3], shape[4]], generator: generator),
      try Tensor.normal(channels + [4, 4], generator: generator), try Tensor.normal([shape[2]], generator: generator),
    ]
    let converted = try leaves.map { try $0.to(dtype) }
    for leaf in converted { try leaf.setRequiresGradient(true) }
    let (input, weight, bias) = (converted[0], converted[1], converted[2])
    let output =
      try isDown
      ? input.convolvedDown(weight, bias: bias)
      : input.convolvedUp(weight, bias: bias)
    try output.backward(Tensor.normal(output.shape, generator: Generator(seed: 4)).to(dtype))
    return try [output] + converted.map { try #require(try $0.gradient()) }
  }

  @Test("output and gradients are right", arguments: shapes, [true, false])
  func agreement(shape: [Int], isDown: Bool) throws {
    let found = try run(shape, .float32, isDown: isDown)
    let expected = try run(shape, .float64, isDown: isDown)
    for (got, wanted) in zip(found, expected) { #expect(try deviation(of: got, from: wanted) <= 3e-6) }
  }

  @Test("an image's output does not depend on the images beside it")
  func independence() throws {
    let images = try Tensor.normal([30, 8, 16, 16], generator: Generator(seed: 5))
    let weight = try Tensor.normal([8, 8, 4, 4], generator: Generator(seed: 6))
    func halved(_ images: Tensor) throws -> [Float] {
      try images.convolvedDown(weight, bias: .zeros([8])).array(Float.self)
    }
    let all = try halved(images)
    #expect(try halved(images.slice(0, 11..<12)) == Array(all[11 * 512..<12 * 512]))
  }

  @Test("an image of odd sides goes through libtorch's convolution")
  func oddSides() throws {
    let images = try Tensor.normal([2, 3, 7, 5], generator: Generator(seed: 5))
    let output = try images.convolvedDown(.zeros([4, 3, 4, 4]), bias: .zeros([4]))
    #expect(output.shape == [2, 4, 3, 2])
  }
}
