import DDN
import Torch

/// Finds the images of a data set whose features are nearest to those of given images: a job over the data set.
public struct NeighbourSearch: BatchJob {
  /// An image of the data set.
  public struct Neighbour: Sendable, Equatable, Codable {
    /// In the data set.
    public let index: Int
    /// Euclidean distance of the features.
    public let distance: Double
  }

  /// Images `[B, C, H, W]` to features `[B, D]`.
  public typealias Features = (Tensor) throws -> Tensor

  public let count: Int
  public let batchSize: Int
  private let source: any EncodingSource
  private let features: Features
  /// `[Q, D]`.
  private let queries: Tensor
  private let nearestCount: Int

  private static let topOperator = Operator("aten::topk")
  /// The most features in memory at once: 128 MiB.
  private static let mostValues = 1 << 25
  /// Candidates beyond the nearest, because products round.
  private static let reserve = 4

  /// - Parameters:
  ///   - source: the data set.
  ///   - count: how many of its images to search, from the first; nil for all.
  ///   - images: `[Q, C, H, W]` in [-1, 1], to find neighbours of.
  ///   - nearest: how many, at least 1.
  ///   - features: whose Euclidean distance is compared.
  /// - Throws: what `features` throws.
  public init(
    in source: any EncodingSource, count: Int? = nil, of images: Tensor, nearest: Int, features: @escaping Features
  ) throws {
    precondition(nearest > 0, "\(nearest) neighbours are none")
    self.source = source
    self.features = features
    self.count = min(count ?? source.count, source.count)
    nearestCount = nearest
    queries = try withoutGradients { try features(images) }
    batchSize = min(max(Self.mostValues / queries.shape[1], 1), 1024)
  }

  /// Root mean squared difference of pixels as Euclidean distance, in gray levels, 0...255.
  public static func pixels(_ images: Tensor) throws(TorchError) -> Tensor {
    let size = Double(images.shape[1...].reduce(1, *))
    return try images.to(.float32).reshaped([images.shape[0], -1]) * (127.5 / size.squareRoot())
  }

  /// The nearest images of a part of the data set.
  ///
  /// - Returns: for each query, by distance and then by index; fewer than asked for in a small part.
  /// - Throws: what the source and the features throw; `TorchError`.
  public func callAsFunction(_ range: Range<Int>) throws -> [[Neighbour]] {
    try withoutGradients {
      let found = try features(source.images(in: range).images)
      let squares = try found.squared().sum([1])
      // |q - x|^2 less |q|^2, which has no say in the order.
      let scores = try queries.matmul(found.transposed(0, 1)) * -2 + squares
      let kept = min(nearestCount + Self.reserve, range.count)
      let results = try Self.topOperator(.tensor(scores), .int(kept), .int(1), .bool(false), .bool(true))
      guard case .tensor(let places) = results[1] else { preconditionFailure("topk returns values and indices") }
      return try (0..<queries.shape[0]).map { query in
        let candidates = try places.select(0, query)
        let distances = try (found.gathered(candidates) - queries.select(0, query)).squared().sum([1]).squareRoot()
        let neighbours = zip(try candidates.array(Int.self), try distances.array(Double.self)).map {
          Neighbour(index: range.lowerBound + $0, distance: $1)
        }
        return nearest(of: neighbours)
      }
    }
  }

  /// The nearest images of the whole data set.
  ///
  /// - Parameters:
  ///   - shouldContinue: called between operators; false stops.
  ///   - progress: called with the number of images searched.
  /// - Returns: for each query, by distance and then by index; fewer than asked for in a smaller data set.
  /// - Throws: `JobStopped`; what the source and the features throw; `TorchError`.
  public func neighbours(
    shouldContinue: () -> Bool = { true }, progress: (Int) -> Void = { _ in }
  ) throws -> [[Neighbour]] {
    var all = [[Neighbour]](repeating: [], count: queries.shape[0])
    try run(shouldContinue: shouldContinue) { range, found in
      for (query, neighbours) in found.enumerated() { all[query] = nearest(of: all[query] + neighbours) }
      progress(range.upperBound)
    }
    return all
  }

  private func nearest(of neighbours: [Neighbour]) -> [Neighbour] {
    Array(neighbours.sorted { ($0.distance, $0.index) < ($1.distance, $1.index) }.prefix(nearestCount))
  }
}
