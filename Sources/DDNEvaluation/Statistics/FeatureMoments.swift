import Torch

/// Sums of feature vectors and of their products, in float64: mean and covariance in one pass over the features.
///
/// Features are taken less the mean of the first batch, so that no digits cancel.
public struct FeatureMoments {
  private static let multiplyOperator = Operator("aten::addmm_")

  public private(set) var count = 0
  /// `[F]`, subtracted from all vectors.
  private var shift: Tensor?
  /// `[F]`
  private var sum: Tensor?
  /// `[F, F]`
  private var products: Tensor?

  public init() {}

  /// Adds vectors.
  ///
  /// - Parameter features: `[N, F]`, of the same F as before; none is fine.
  /// - Throws: `EvaluationError` for values that are not finite; `TorchError`.
  public mutating func add(_ features: Tensor) throws {
    precondition(features.shape.count == 2, "features are [N, F], not \(features.shape)")
    guard features.shape[0] > 0 else { return }
    guard try features.allFinite() else { throw EvaluationError("the features of an image are not finite") }
    let values = try features.detached().to(.cpu).to(.float64)
    let shift = try self.shift ?? values.mean([0])
    let shifted = try values - shift
    let size = features.shape[1]
    let products = try self.products ?? .zeros([size, size], dtype: .float64)
    // In place: a matrix of 2048 x 2048 takes 32 MiB.
    try Self.multiplyOperator(.tensor(products), .tensor(shifted.transposed(0, 1)), .tensor(shifted))
    let added = try shifted.sum([0])
    sum = try sum.map { try $0 + added } ?? added
    (self.shift, self.products) = (shift, products)
    count += features.shape[0]
  }

  /// Mean and unbiased covariance of all vectors.
  ///
  /// - Throws: `EvaluationError` for fewer than two vectors; `TorchError`.
  public func statistics() throws -> FrechetDistance.Statistics {
    guard count >= 2, let sum, let products, let shift else {
      throw EvaluationError("a Frechet distance needs at least 2 images, not \(count)")
    }
    let mean = try sum * (1 / Double(count))
    let square = try mean.reshaped([-1, 1]).matmul(mean.reshaped([1, -1])) * Double(count)
    return .init(
      mean: try mean + shift, covariance: try (products - square) * (1 / Double(count - 1)), count: count)
  }
}
