/// A probability density over the square [-1, 1] x [-1, 1], constant within each bin.
///
/// Row-major bins from the top: x grows with the column, y falls with the row.
/// Source: paper, Figures 5 and 19.
public struct DensityMap: Sendable, Equatable {
  /// For figures and reports.
  public let name: String
  /// Rows of bins.
  public let height: Int
  /// Columns of bins.
  public let width: Int
  /// `[height * width]`, positive, with sum 1.
  public let probabilities: [Double]

  /// Normalizes weights. Zero weights get a tiny floor, so that logarithms stay finite.
  ///
  /// - Parameters:
  ///   - name: for reports and figures.
  ///   - height: in cells.
  ///   - width: in cells.
  ///   - weights: `[height * width]`, finite and not negative; all zeros give a uniform map.
  public init(name: String, height: Int, width: Int, weights: [Double]) {
    precondition(height > 0 && width > 0, "\(height) x \(width) bins are empty")
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

  /// Points per bin, `[height * width]`; points outside the square are clamped to it.
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
