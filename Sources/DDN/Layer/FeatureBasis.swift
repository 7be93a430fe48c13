import Torch

/// A space of d dimensions in which all features of a level lie: they are `X B` for coordinates X and the rows of B.
///
/// Distances and the chosen image are computed from X and B, never from `X B`, which is P / d times as large as X and
/// has as large a gradient; see `NodeDistances`.
public struct FeatureBasis {
  /// `[d, P]`, B.
  public let rows: Tensor
  /// How products round; see `Tensor.linear(_:in:)`.
  let mode: Module.Mode

  /// d.
  public var rank: Int { rows.shape[0] }

  /// `[..., d]` to `[..., P]`.
  func values(of coordinates: Tensor) throws(TorchError) -> Tensor {
    try products(of: coordinates, with: rows.transposed(0, 1))
  }

  /// `[..., in]` to `[..., out]`.
  ///
  /// - Parameter weight: `[out, in]`.
  private func products(of vectors: Tensor, with weight: Tensor) throws(TorchError) -> Tensor {
    let shape = vectors.shape
    return try vectors.reshaped([-1, shape.last!]).linear(weight, in: mode).reshaped(
      shape.dropLast() + [weight.shape[0]])
  }
}

extension FeatureBasis {
  /// What products of coordinates need to be those of features.
  struct Products {
    /// `[R, F, d]`, `X M` with `M = B B^T`.
    let features: Tensor
    /// `[B, C, d]`, `r B^T` of the residual r.
    let residual: Tensor
    /// `[B]`, `|r|^2`.
    let residualSquares: Tensor
  }

  /// - Parameters:
  ///   - coordinates: `[R, F, d]`.
  ///   - residual: `[B, C, P]`.
  func products(of coordinates: Tensor, residual: Tensor) throws(TorchError) -> Products {
    Products(
      features: try products(of: coordinates, with: rows.matmul(rows.transposed(0, 1))),
      residual: try products(of: residual, with: rows), residualSquares: try residual.squared().sum([1, 2]))
  }
}
