/// A probability density over the square [-1, 1] x [-1, 1], constant within each of its bins.
///
/// Bins are stored row by row from the top: a point's x grows with the column, its y falls with the row.
/// Source: paper, Figures 5 and 19.
public struct DensityMap: Sendable, Equatable {
  /// What pictures and reports call it.
  public let name: String
  /// Rows of bins.
  public let height: Int
  /// Columns of bins.
  public let width: Int
  /// `[height * width]`, all above 0; their sum is 1.
  public let probabilities: [Double]

  /// Makes weights into probabilities; weights of zero become a trifle, so that logarithms stay finite.
  ///
  /// - Parameter weights: `[height * width]`, finite and none below 0. If all are zero, the map is uniform.
  public init(name: String, height: Int, width: Int, weights: [Double]) {
    precondition(height > 0 && width > 0, "a density of \(height) x \(width) bins has none")
    precondition(weights.count == height * width, "\(weights.count) weights for \(height) x \(width) bins")
    precondition(weights.allSatisfy { $0 >= 0 && $0.isFinite }, "a weight is negative or not finite")
    self.name = name
    self.height = height
    self.width = width
    let sum = weights.reduce(0, +)
    let floor = 1e-20 / Double(weights.count)
    let raised = weights.map { (sum > 0 ? $0 / sum : 0) + floor }
    let raisedSum = raised.reduce(0, +)
    probabilities = raised.map { $0 / raisedSum }
  }

  /// How many points fall into each bin; points beyond the square count for the bins at its edge.
  public func histogram(_ points: [SIMD2<Float>]) -> [Int] {
    var counts = [Int](repeating: 0, count: probabilities.count)
    for point in points { counts[bin(of: point)] += 1 }
    return counts
  }

  private func bin(of point: SIMD2<Float>) -> Int {
    func index(_ offset: Double, _ count: Int) -> Int {
      min(max(Int((offset / 2 * Double(count) - 0.5).rounded(.toNearestOrEven)), 0), count - 1)
    }
    return index(1 - Double(point.y), height) * width + index(Double(point.x) + 1, width)
  }
}
