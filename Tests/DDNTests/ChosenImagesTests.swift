import GoldenSupport
import Testing
import Torch

@testable import DDN

/// The CPU's kernels, held to libtorch's operators in float64, which are also those of CUDA devices.
@Suite("Chosen images")
struct ChosenImagesTests {
  static let shapes: [[Int]] = [
    // nodes, channels, features, height, width, parents, rows
    [8, 1, 4, 8, 8, 3, 7], [64, 3, 16, 4, 4, 5, 5], [5, 3, 7, 3, 5, 4, 9],
  ]

  /// The images, and the gradients of features and weights.
  private func run(_ shape: [Int], groups: Int, dtype: DType, sharesParents: Bool, uses: Range<Int>) throws -> [Tensor]
  {
    let generator = try Generator(seed: 3)
    let (parents, rows) = (sharesParents ? shape[5] : shape[6], shape[6])
    let features = try Tensor.normal([parents, groups * shape[2], shape[3], shape[4]], generator: generator).to(dtype)
    let weights = try Tensor.normal([shape[0], shape[1], shape[2]], generator: generator).to(dtype)
    for leaf in [features, weights] { try leaf.setRequiresGradient(true) }
    let parentOfRow = try sharesParents ? Tensor((0..<rows).map { $0 * 5 % parents }, shape: [rows]) : nil
    let images = try Operator("ddn::chosen_images").tensors(
      .tensor(features), .tensor(weights), .optional(parentOfRow),
      .tensor(Tensor((0..<rows).map { $0 * 3 % shape[0] }, shape: [rows])))
    let factors = try Tensor.normal(images[0].shape, generator: generator).to(dtype)
    var total = try Tensor.zeros([]).to(dtype)
    for index in uses { total = try total + (images[index] * factors).sum() * Double(index + 1) }
    try total.backward()
    return try images + [features, weights].map { try #require(try $0.gradient()) }
  }

  @Test("images and gradients are right", arguments: shapes, [true, false])
  func agreement(shape: [Int], sharesParents: Bool) throws {
    for (groups, uses) in [(1, 0..<1), (2, 0..<2), (2, 0..<1), (2, 1..<2)] {
      func images(_ dtype: DType) throws -> [Tensor] {
        try run(shape, groups: groups, dtype: dtype, sharesParents: sharesParents, uses: uses)
      }
      for (got, wanted) in zip(try images(.float32), try images(.float64)) {
        #expect(try deviation(of: got, from: wanted) <= 3e-6)
      }
    }
  }
}
