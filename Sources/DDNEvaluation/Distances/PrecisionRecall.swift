import DDN
import Torch

/// Improved precision and recall: which share of the images lies in the reference's manifold, and the reverse.
///
/// A set's manifold is the union of balls around its feature vectors, each reaching to its third nearest neighbour.
///
/// - Source: Kynkaanniemi et al., "Improved precision and recall metric for assessing generative models" (2019).
public struct PrecisionRecall {
  public static let defaultNeighbours = 3

  /// Of the images measured, the share within the reference's manifold.
  public let precision: Double
  /// Of the reference, the share within the images' manifold.
  public let recall: Double

  private static let smallestOperator = Operator("aten::topk")
  private static let lessEqualOperator = Operator("aten::le", "Tensor")
  private static let anyOperator = Operator("aten::any", "dim")

  /// - Parameters:
  ///   - images: features of the images measured.
  ///   - reference: features of the reference; of the same detector.
  ///   - neighbours: which neighbour a ball reaches to.
  ///   - shouldContinue: called between blocks; false stops.
  /// - Throws: `JobStopped`; `EvaluationError` when there are not more images than neighbours; `FileError`;
  ///   `TorchError`.
  public init(
    _ images: Features, _ reference: Features, neighbours: Int = defaultNeighbours,
    shouldContinue: () -> Bool = { true }
  ) throws {
    for features in [images, reference] where features.count <= neighbours {
      throw EvaluationError("precision and recall need more than \(neighbours) images, not \(features.count)")
    }
    precision = try Self.share(of: images, within: reference, neighbours, shouldContinue)
    recall = try Self.share(of: reference, within: images, neighbours, shouldContinue)
  }

  /// The share of `queries` that lie in the manifold of `set`.
  private static func share(
    of queries: Features, within set: Features, _ neighbours: Int, _ shouldContinue: () -> Bool
  ) throws -> Double {
    // Distances of a block of the set to the whole set give its radii, then to all queries whether these are within.
    var inside = [Bool](repeating: false, count: queries.count)
    try set.forEachBlock { block in
      guard shouldContinue() else { throw JobStopped() }
      var nearest: Tensor?  // [b, neighbours + 1], itself included
      try set.forEachBlock { others in
        let distances = try squaredDistances(block, others)
        let all = try nearest.map { try .concatenate([$0, distances], dimension: 1) } ?? distances
        let kept = min(neighbours + 1, all.shape[1])
        nearest = try smallestOperator.tensor(.tensor(all), .int(kept), .int(1), .bool(false), .bool(true))
      }
      let radii = try nearest!.select(1, neighbours).reshaped([-1, 1])  // [b, 1]
      var start = 0
      try queries.forEachBlock { rows in
        let reached = try lessEqualOperator.tensor(.tensor(squaredDistances(block, rows)), .tensor(radii))
        let found: [UInt8] = try anyOperator.tensor(.tensor(reached), .int(0)).to(.uint8).array()
        for (place, isInside) in found.enumerated() where isInside != 0 { inside[start + place] = true }
        start += rows.shape[0]
      }
    }
    return Double(inside.count { $0 }) / Double(queries.count)
  }

  /// `[n, F]` and `[m, F]` to `[n, m]`, in float64: equal vectors have distances of rounding only.
  private static func squaredDistances(_ first: Tensor, _ second: Tensor) throws(TorchError) -> Tensor {
    let (x, y) = (try first.to(.float64), try second.to(.float64))
    let products = try x.matmul(y.transposed(0, 1)) * -2
    return try (products + x.squared().sum([1], keepingDimensions: true) + y.squared().sum([1])).clamped(
      0...(.infinity))
  }
}
