/// Draws points from a density: a bin by inverting the cumulative distribution, then uniformly within it.
struct DensitySampler {
  private let height: Int
  private let width: Int
  private let cumulative: [Double]
  /// Divides [0, 1) into as many equal parts as there are bins; for each, the first bin that it can select.
  ///
  /// A binary search would take longer than finding the nearest node.
  private let guide: [Int32]

  init(_ map: DensityMap) {
    height = map.height
    width = map.width
    var sum = 0.0
    cumulative = map.probabilities.map {
      sum += $0
      return sum
    }
    let bins = cumulative.count
    var first = 0
    guide = (0..<bins).map { [cumulative] part in
      while first < bins - 1 && cumulative[first] <= Double(part) / Double(bins) { first += 1 }
      return Int32(first)
    }
  }

  @inline(__always)
  func draw(_ generator: inout SplitMix64) -> SIMD2<Float> {
    let uniform = Double(generator.next() >> 11) * 0x1p-53
    var bin = Int(guide[Int(uniform * Double(guide.count))])
    while bin < cumulative.count - 1 && cumulative[bin] <= uniform { bin += 1 }
    let (row, column) = bin.quotientAndRemainder(dividingBy: width)
    // Away from the bin's edges, where rounding could move a point to an empty bin.
    let jitter = generator.unitPoint() * (1 - 2e-4) + 1e-4
    return SIMD2(
      (Float(column) + jitter.x) * (2 / Float(width)) - 1,
      1 - (Float(row) + jitter.y) * (2 / Float(height)))
  }
}
