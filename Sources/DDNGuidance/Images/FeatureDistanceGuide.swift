import DDN
import Torch

/// The negative squared distance of images' features to those of a target.
struct FeatureDistanceGuide: ImageGuide {
  /// Of images of a size: `[B, D]`, or one row for all images of a batch.
  private let targetFeatures: (_ height: Int, _ width: Int) throws -> Tensor
  private let features: (Tensor) throws -> Tensor
  private let averages: Bool
  let valuesPerImage: Int

  /// The most values that are compared at a time: 64 MiB.
  private static let mostValues = 1 << 24

  /// - Parameters:
  ///   - targetFeatures: of the targets, to compare with images of a height and width: `[B, D]`, or `[1, D]` for all.
  ///   - features: of `[N, C, h, w]`: `[N, D]`.
  ///   - valuesPerImage: D, about.
  ///   - averages: whether the distance is the mean over features, rather than the sum.
  init(
    targetFeatures: @escaping (_ height: Int, _ width: Int) throws -> Tensor,
    features: @escaping (Tensor) throws -> Tensor, valuesPerImage: Int, averages: Bool
  ) {
    self.targetFeatures = targetFeatures
    self.features = features
    self.valuesPerImage = valuesPerImage
    self.averages = averages
  }

  func scores(ofImages images: Tensor, paths: SharedPaths) throws -> Tensor {
    let shape = images.shape  // [R, n, C, h, w]
    let target = try targetFeatures(shape[3], shape[4])
    let found = try features(images.reshaped([shape[0] * shape[1]] + shape[2...]))
      .reshaped([shape[0], shape[1], -1])  // [R, n, D]
    let compared = try target.reshaped([-1, 1, found.shape[2]])
    // Many images of a batch may share a row.
    let count = max(1, Self.mostValues / (paths.samples * found.shape[2]))
    let parts = try stride(from: 0, to: shape[1], by: count).map { first in
      let range = first..<min(first + count, shape[1])
      let squares = try (paths.perSample(found.slice(1, range)) - compared).squared()
      return try (averages ? squares.mean([2]) : squares.sum([2])) * -1
    }
    return try parts.count == 1 ? parts[0] : .concatenate(parts, dimension: 1)
  }
}
