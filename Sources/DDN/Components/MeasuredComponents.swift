import Torch

/// What a linear map of images, such as a blur or a mask, measures of images that are principal components.
///
/// A map A measures `c A V + A m` of an image with coefficients c, components V and mean m. Its squared distance to a
/// measurement y is `|c B - u|^2` plus a constant of y, where `B B^T = A V (A V)^T`: distances in at most P numbers,
/// however many the map measures.
public struct MeasuredComponents {
  /// Measurements of a batch, for `squaredErrors`.
  public struct Goal {
    /// `[B, r]`, u.
    let coordinates: Tensor
    /// `[B, 1]`, the sum of squares that no coefficients express.
    let remainder: Tensor
  }

  /// Of a squared singular value, relative to the largest: below lies rounding.
  private static let leastShare = 1e-10

  private let mode: Module.Mode
  /// `[M]`, A m.
  private let origin: Tensor
  /// `[r, P]`, B transposed.
  private let map: Tensor
  /// `[r, M]`, orthonormal rows that span those of A V.
  private let axes: Tensor

  /// - Parameters:
  ///   - components: those of the candidates.
  ///   - measure: `[N, C, H, W]` to N measurements of any shape, linear.
  /// - Throws: what `measure` throws; `TorchError`.
  public init(_ components: PrincipalComponents, by measure: (Tensor) throws -> Tensor) throws {
    mode = components.mode
    origin = try measure(components.mean.tensor.reshaped([1] + components.imageShape)).reshaped([-1])
    let images = try (components.components.tensor * components.scale.tensor)
      .reshaped([components.count] + components.imageShape)
    let measured = try measure(images).reshaped([components.count, -1]).to(.float64)  // [P, M], A V
    let (ascending, vectors) = try measured.matmul(measured.transposed(0, 1)).symmetricEigen()
    let values = try ascending.array(Double.self)
    let least = max(values.last! * Self.leastShare, .leastNormalMagnitude)
    let first = values.firstIndex { $0 > least } ?? values.count - 1
    let roots = try ascending.slice(0, first..<values.count).clamped(least...(.infinity)).squareRoot()
    let kept = try vectors.slice(1, first..<values.count)  // [P, r]
    map = try (kept * roots).transposed(0, 1).contiguous().to(.float32)
    axes = try (kept / roots).transposed(0, 1).matmul(measured).to(.float32)
  }

  /// - Parameter observation: of B images, of any shape.
  public func goal(of observation: Tensor) throws(TorchError) -> Goal {
    let beyondMean = try observation.to(.float32).reshaped([observation.shape[0], -1]) - origin
    let coordinates = try beyondMean.linear(axes, in: mode)
    let remainder = try beyondMean.squared().sum([1]) - coordinates.squared().sum([1])
    return Goal(
      coordinates: coordinates, remainder: try remainder.clamped(0...(.infinity)).reshaped([-1, 1]))
  }

  /// The sum of squared differences of each candidate's measurement: `[B, K]`.
  ///
  /// - Parameters:
  ///   - candidates: of the same components.
  ///   - goal: of the batch's images, or of one for all.
  public func squaredErrors(of candidates: Candidates, to goal: Goal) throws -> Tensor {
    let (rank, components) = (map.shape[0], map.shape[1])
    var residual = try goal.coordinates.expanded([candidates.samples, rank])
    if let base = candidates.base {
      residual = try residual - candidates.paths.perSample(base.reshaped([-1, components]).linear(map, in: mode))
    }
    let distances = try NodeDistances.all(
      features: candidates.features(mappedBy: map, in: mode), weights: candidates.weights,
      residual: residual.reshaped([candidates.samples, 1, rank]), paths: candidates.paths)
    return try distances * Double(rank) + goal.remainder
  }
}
