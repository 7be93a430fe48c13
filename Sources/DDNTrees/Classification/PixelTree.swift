import DDN
import Torch

/// A tree of k-means clusters of pixels: the plain quantiser that a DDN of as many nodes and levels is compared with.
///
/// The images are split into K clusters, each of these into K again, and so on. The same code as a DDN's, without a
/// network: K + K^2 + ... stored images.
public struct PixelTree {
  /// Images with their codes.
  public struct Result {
    public let codes: PathTable
    /// `[L]`, each level's mean squared error.
    public let errors: [Double]
  }

  /// The images that the clusters are fitted to.
  public private(set) var training: Result
  public private(set) var tests: Result

  /// Iterations of each k-means, at most.
  public static let iterations = 30
  /// Rows of distances at a time.
  private static let batch = 8192

  /// Fits the clusters, and assigns training and test images to them.
  ///
  /// - Parameters:
  ///   - space: its nodes and levels; one choice a level.
  ///   - training: `[N, D]` float32, at least one image.
  ///   - tests: `[M, D]` float32.
  ///   - seed: of the initial centers.
  ///   - shouldContinue: called with the finished share of the work before every k-means; false stops.
  /// - Throws: `JobStopped`; `TorchError`.
  public init(
    _ space: CodeSpace, training: Tensor, tests: Tensor, seed: UInt64 = 0,
    shouldContinue: (Double) -> Bool = { _ in true }
  ) throws {
    var fit = Fit(space, training: training, tests: tests, seed: seed)
    try withoutGradients {
      try fit.split(
        Array(0..<training.shape[0]), Array(0..<tests.shape[0]), level: 0, done: 0..<1, shouldContinue: shouldContinue)
    }
    self.training = fit.training.result(space)
    self.tests = fit.tests.result(space)
  }

  /// The recursion's state.
  private struct Fit {
    var training: Side
    var tests: Side
    private let space: CodeSpace
    private var generator: MersenneTwister

    /// Images, and what is known of them so far.
    struct Side {
      let images: Tensor
      /// `[N, L]`
      var choices: [[Int]]
      /// `[L]`, sums over images.
      var errors: [Double]

      init(_ images: Tensor, levels: Int) {
        self.images = images
        choices = Array(repeating: [], count: images.shape[0])
        errors = Array(repeating: 0, count: levels)
      }

      func result(_ space: CodeSpace) -> Result {
        var codes = PathTable(space)
        for path in choices { codes.append(steps: path) }
        return Result(codes: codes, errors: errors.map { $0 / Double(max(choices.count, 1)) })
      }

      /// Records the choices of a cluster's images, and returns the rows of each new cluster.
      mutating func assign(_ rows: [Int], to centers: Tensor, level: Int) throws -> [[Int]] {
        var clusters = [[Int]](repeating: [], count: centers.shape[0])
        guard !rows.isEmpty else { return clusters }
        let (nearest, distances) = try PixelTree.nearest(images.gathered(Tensor(rows, shape: [rows.count])), centers)
        let width = Double(images.shape[1])
        for (row, (choice, distance)) in zip(rows, zip(try nearest.array(Int.self), try distances.array(Double.self))) {
          choices[row].append(choice)
          errors[level] += distance / width
          clusters[choice].append(row)
        }
        return clusters
      }
    }

    init(_ space: CodeSpace, training: Tensor, tests: Tensor, seed: UInt64) {
      self.space = space
      self.training = Side(training, levels: space.levels.count)
      self.tests = Side(tests, levels: space.levels.count)
      generator = MersenneTwister(seed: seed)
    }

    mutating func split(
      _ rows: [Int], _ testRows: [Int], level: Int, done: Range<Double>, shouldContinue: (Double) -> Bool
    ) throws {
      guard level < space.levels.count, !rows.isEmpty else { return }
      guard shouldContinue(done.lowerBound) else { throw JobStopped() }
      let images = try training.images.gathered(Tensor(rows, shape: [rows.count]))
      let centers = try PixelTree.cluster(images, count: space.levels[level].nodes, generator: &generator)
      let clusters = try training.assign(rows, to: centers, level: level)
      let testClusters = try tests.assign(testRows, to: centers, level: level)
      var start = done.lowerBound
      for (cluster, testCluster) in zip(clusters, testClusters) where !cluster.isEmpty {
        let end = start + (done.upperBound - done.lowerBound) * Double(cluster.count) / Double(rows.count)
        try split(cluster, testCluster, level: level + 1, done: start..<end, shouldContinue: shouldContinue)
        start = end
      }
    }
  }

  /// Cluster centers by Lloyd's algorithm from k-means++ seeds; at most as many as distinct images.
  ///
  /// - Source: Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding" (2007).
  static func cluster(_ images: Tensor, count: Int, generator: inout MersenneTwister) throws -> Tensor {
    var centers = try seeds(images, count: count, generator: &generator)
    let rows = images.shape[0]
    guard rows > 1, centers.shape[0] > 1 else { return centers }
    var last: [Int] = []
    for _ in 0..<iterations {
      let nearest = try nearest(images, centers).indices
      let assignment = try nearest.array(Int.self)
      if assignment == last { break }
      last = assignment
      let members = try Tensor.zeros([rows, centers.shape[0]])
        .scattering(1, at: nearest.reshaped([rows, 1]), dimension: 1)
      let sizes = try members.sum([0])  // [K]
      let occupied = try sizes.array(Double.self).enumerated().filter { $1 > 0 }.map(\.offset)
      let sums = try members.transposed(0, 1).matmul(images)  // [K, D]
      let kept = try Tensor(occupied, shape: [occupied.count])
      centers = try (sums / sizes.reshaped([-1, 1])).gathered(kept)
    }
    // Clusters without images are dropped, so that every cluster can be split.
    let occupied = Set(try nearest(images, centers).indices.array(Int.self)).sorted()
    return try centers.gathered(Tensor(occupied, shape: [occupied.count]))
  }

  /// Distinct images, each drawn in proportion to its squared distance to the nearest one before.
  private static func seeds(_ images: Tensor, count: Int, generator: inout MersenneTwister) throws -> Tensor {
    var chosen = [generator.below(images.shape[0])]
    var distances = [Double](repeating: .infinity, count: images.shape[0])
    while true {
      let newest = try images.slice(0, chosen.last!..<chosen.last! + 1)
      let fresh = try (images - newest).squared().sum([1]).array(Double.self)
      for row in fresh.indices { distances[row] = min(distances[row], fresh[row]) }
      let total = distances.reduce(0, +)
      guard chosen.count < count, total > 0 else { break }
      var rest = Double(generator.uniform()) * total
      var row = 0
      while row < distances.count - 1, rest >= distances[row] || distances[row] == 0 {
        rest -= distances[row]
        row += 1
      }
      guard distances[row] > 0 else { break }
      chosen.append(row)
    }
    return try images.gathered(Tensor(chosen, shape: [chosen.count]))
  }

  /// `[N]` indices of the nearest centers, and `[N]` squared distances.
  private static func nearest(_ images: Tensor, _ centers: Tensor) throws -> (indices: Tensor, distances: Tensor) {
    let lengths = try centers.squared().sum([1])  // [K]
    let transposed = try centers.transposed(0, 1)
    var (indices, distances): ([Tensor], [Tensor]) = ([], [])
    for start in stride(from: 0, to: images.shape[0], by: batch) {
      let part = try images.slice(0, start..<min(start + batch, images.shape[0]))
      let chosen = try (lengths - part.matmul(transposed) * 2).argmin(1)
      indices.append(chosen)
      distances.append(try (part - centers.gathered(chosen)).squared().sum([1]))
    }
    return (try .concatenate(indices), try .concatenate(distances))
  }
}
