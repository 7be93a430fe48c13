import Torch

/// The Frechet distance of two sets of feature vectors, as if each were Gaussian: 0 for equal means and covariances.
///
/// |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)), with unbiased covariances, in float64. It depends on the features and
/// on the number of vectors: compare distances of the same classifier and count alone.
///
/// - Source: Dowson and Landau, "The Frechet distance between multivariate normal distributions" (1982).
public struct FrechetDistance {
  private static let eigenvaluesOperator = Operator("aten::linalg_eigvalsh")

  /// Mean and covariance of feature vectors.
  public struct Statistics {
    /// N; nil when unknown.
    public let count: Int?
    /// `[F]` float64.
    public let mean: Tensor
    /// `[F, F]` float64, divided by N - 1.
    public let covariance: Tensor

    /// - Parameters:
    ///   - mean: `[F]` float64.
    ///   - covariance: `[F, F]` float64, symmetric.
    ///   - count: of the vectors; nil when unknown.
    public init(mean: Tensor, covariance: Tensor, count: Int?) {
      precondition(covariance.shape == [mean.count, mean.count], "\(covariance.shape) does not fit \(mean.shape)")
      self.mean = mean
      self.covariance = covariance
      self.count = count
    }

    /// - Parameter features: `[N, F]`, at least two, finite.
    /// - Throws: `EvaluationError` for fewer than two vectors, or one that is not finite; `TorchError`.
    public init(_ features: Tensor) throws {
      var moments = FeatureMoments()
      try moments.add(features)
      self = try moments.statistics()
    }
  }

  /// In squared units of the features.
  public let value: Double

  /// - Parameters:
  ///   - first: of one set.
  ///   - second: of the other set, with as many features.
  public init(_ first: Statistics, _ second: Statistics) throws(TorchError) {
    precondition(first.mean.shape == second.mean.shape, "features differ: \(first.mean.shape), \(second.mean.shape)")
    let distance = try (first.mean - second.mean).squared().sum().item()
    // The trace of (C1 C2)^(1/2) equals that of (R C2 R)^(1/2) with R = C1^(1/2), which is symmetric.
    let root = try Self.root(of: first.covariance)
    let product = try root.matmul(second.covariance).matmul(root)
    let symmetric = try (product + product.transposed(0, 1)) * 0.5
    let eigenvalues = try Self.eigenvaluesOperator.tensor(.tensor(symmetric)).clamped(0...(.infinity))
    let cross = try eigenvalues.squareRoot().sum().item()
    let traces = try Self.trace(of: first.covariance) + Self.trace(of: second.covariance)
    value = max(distance + traces - 2 * cross, 0)
  }

  private static func root(of covariance: Tensor) throws(TorchError) -> Tensor {
    let (values, vectors) = try covariance.symmetricEigen()
    return try (vectors * values.clamped(0...(.infinity)).squareRoot()).matmul(vectors.transposed(0, 1))
  }

  private static func trace(of matrix: Tensor) throws(TorchError) -> Double {
    let side = matrix.shape[0]
    let values = try matrix.array(Double.self)
    return (0..<side).reduce(0) { $0 + values[$1 * side + $1] }
  }
}

/// Images that cannot be evaluated; one line.
public struct EvaluationError: Error, Equatable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
