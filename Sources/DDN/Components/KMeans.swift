import Torch

/// Centres of points, fitted by Lloyd's algorithm.
///
/// Source: Lloyd, "Least squares quantization in PCM" (1982).
public struct KMeans {
  /// `[K, D]`.
  public let centers: Tensor
  /// The mean squared distance of points to their centres before each step; never increases.
  public let errors: [Double]

  private static let minimumOperator = Operator("aten::min", "dim")
  private static let addRowsOperator = Operator("aten::index_add")
  private static let countOperator = Operator("aten::bincount")
  private static let permutationOperator = Operator("aten::randperm", "generator")
  private static let rowsPerProduct = 8192
  private static let tolerance = 5e-4

  /// - Parameters:
  ///   - points: `[N, D]` float32.
  ///   - count: K, at most N.
  ///   - generator: chooses the first centres and those of empty clusters.
  ///   - maxSteps: at least 1; fewer when the error stops to fall.
  ///   - progress: called after each step; throwing stops the fit.
  /// - Throws: what `progress` throws; `TorchError`.
  public init(
    fitting points: Tensor, count: Int, generator: Generator, maxSteps: Int = 20, progress: () throws -> Void = {}
  ) throws {
    let total = points.shape[0]
    precondition((1...total).contains(count), "\(count) centres of \(total) points")
    let squares = try Self.mapRows(points) { (rows) throws(TorchError) in try rows.squared().sum([1]) }
    let meanSquare = try squares.to(.float64).mean([0]).item()
    var centers = try Self.start(points, count, generator)
    var errors: [Double] = []
    for step in 0...maxSteps {
      let (nearest, distances) = try Self.nearest(points, centers)
      let error = try max(meanSquare + distances.to(.float64).mean([0]).item(), 0)
      let isDone = errors.last.map { error > $0 * (1 - Self.tolerance) } ?? false
      // Rounding may raise an error that has stopped to fall.
      if let last = errors.last, error > last { break }
      errors.append(error)
      guard !isDone, step < maxSteps else { break }
      centers = try Self.means(points, nearest, centers, generator)
      try progress()
    }
    (self.centers, self.errors) = (centers, errors)
  }

  /// Means of K disjoint random groups of points: shorter than the points, so that no centre begins alone.
  private static func start(_ points: Tensor, _ count: Int, _ generator: Generator) throws(TorchError) -> Tensor {
    let (total, size) = (points.shape[0], points.shape[1])
    let group = min(groupSize, total / count)
    let order = try permutationOperator.tensor(
      .int(total), .generator(generator), .dtype(.int64), .none, .device(generator.device))
    return try points.gathered(order.slice(0, 0..<count * group).to(points.device))
      .reshaped([count, group, size]).mean([1])
  }

  private static let groupSize = 8

  /// The mean of each centre's points. An empty cluster takes over a random half of the busiest one's points.
  private static func means(
    _ points: Tensor, _ nearest: Tensor, _ centers: Tensor, _ generator: Generator
  ) throws(TorchError) -> Tensor {
    var nearest = nearest
    var counts = try countOperator.tensor(.tensor(nearest), .none, .int(centers.shape[0])).array(Int.self)
    if let firstEmpty = counts.firstIndex(of: 0) {
      var places = try nearest.array(Int.self)
      let draws = try Tensor.uniform([places.count], generator: generator).array(Float.self)
      for empty in firstEmpty..<counts.count where counts[empty] == 0 {
        let busiest = counts.indices.max { counts[$0] < counts[$1] }!
        guard counts[busiest] > 1 else { break }
        // At least one point stays, and at least one leaves.
        let half = (counts[busiest] + 1) / 2
        let movers = places.indices.filter { places[$0] == busiest }.sorted { draws[$0] < draws[$1] }
        for place in movers.prefix(half) { places[place] = empty }
        (counts[empty], counts[busiest]) = (half, counts[busiest] - half)
      }
      nearest = try Tensor(places, shape: [places.count]).to(points.device)
    }
    let sums = try addRowsOperator.tensor(
      .tensor(.zeros(centers.shape, device: points.device)), .int(0), .tensor(nearest), .tensor(points))
    let divisors = try Tensor(counts.map { Double(max($0, 1)) }, shape: [counts.count, 1]).to(.float32)
    return try sums / divisors.to(points.device)
  }

  /// The nearest centre of each point, and its squared distance less the point's square.
  ///
  /// - Parameters:
  ///   - points: `[N, D]`.
  ///   - centers: `[K, D]`.
  /// - Returns: `[N]` int64 and `[N]` float32.
  public static func nearest(
    _ points: Tensor, _ centers: Tensor
  ) throws(TorchError) -> (places: Tensor, distances: Tensor) {
    let squares = try centers.squared().sum([1])
    let factors = try centers.transposed(0, 1) * -2
    var (places, distances): ([Tensor], [Tensor]) = ([], [])
    for first in stride(from: 0, to: points.shape[0], by: rowsPerProduct) {
      let rows = try points.slice(0, first..<min(first + rowsPerProduct, points.shape[0]))
      let results = try minimumOperator(.tensor(rows.matmul(factors) + squares), .int(1))
      guard case .tensor(let minima) = results[0], case .tensor(let indices) = results[1] else {
        preconditionFailure("min returns values and indices")
      }
      places.append(indices)
      distances.append(minima)
    }
    return (try .concatenate(places), try .concatenate(distances))
  }

  private static func mapRows(
    _ points: Tensor, _ body: (Tensor) throws(TorchError) -> Tensor
  ) throws(TorchError) -> Tensor {
    var parts: [Tensor] = []
    for first in stride(from: 0, to: points.shape[0], by: rowsPerProduct) {
      parts.append(try body(points.slice(0, first..<min(first + rowsPerProduct, points.shape[0]))))
    }
    return try .concatenate(parts)
  }
}
