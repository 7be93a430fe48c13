import DDN
import Torch

/// Reads the label of a code from the labelled codes whose decoded images are nearest.
///
/// Where the tree cuts between two similar images, their codes share no prefix; their images are near all the same.
public struct NeighbourClassifier {
  /// The numbers of neighbours that are compared.
  public static let counts = [1, 3, 5, 9, 15]
  /// Labelled images that choose the number of neighbours, at most.
  private static let judges = 2000

  private static let topOperator = Operator("aten::topk")

  /// Larger images are averaged to this many pixels on a side before they are compared, for speed.
  private static let side = 16

  /// Decoded images, `[B, C, H, W]` in [-1, 1], as they are compared: `[B, D]` uint8.
  ///
  /// - Throws: `TorchError`.
  public static func pixels(of images: Tensor) throws(TorchError) -> Tensor {
    let shape = images.shape
    let pooled = try images.resizedArea(height: min(shape[2], side), width: min(shape[3], side))
    return try (pooled * 127.5 + 127.5).rounded().clamped(0...255).to(.uint8).reshaped([shape[0], -1])
  }

  /// `[N, D]`.
  private let images: Tensor
  /// `[N]`, squared lengths.
  private let lengths: Tensor
  private let labelOfImage: [Int]
  private let labels: Int
  /// Neighbours that vote.
  public let count: Int

  /// Chooses the number of neighbours by leaving out one labelled image at a time.
  ///
  /// - Parameters:
  ///   - images: `[N, D]` float32, the decoded images of labelled codes; at least one.
  ///   - labelOfImage: `[N]`, each in `0..<labels`.
  ///   - labels: number of labels.
  /// - Throws: `TorchError`.
  public init(_ images: Tensor, labelOfImage: [Int], labels: Int) throws {
    self.images = images
    self.labelOfImage = labelOfImage
    self.labels = labels
    lengths = try images.squared().sum([1])
    let judges = min(labelOfImage.count, Self.judges)
    // The nearest is the image itself, or its equal.
    let ranked = try Self.ranked(
      images.slice(0, 0..<judges), images, lengths, count: min(Self.counts.last! + 1, labelOfImage.count))
    let correct = Self.counts.map { count in
      ranked.indices.filter { judge in
        let others = ranked[judge].filter { $0 != judge }.prefix(count)
        return Self.vote(others.map { labelOfImage[$0] }, labels: labels) == labelOfImage[judge]
      }.count
    }
    count = Self.counts[correct.firstIndex(of: correct.max()!)!]
  }

  /// The labels of decoded images, `[B, D]`.
  ///
  /// - Throws: `TorchError`.
  public func labels(of queries: Tensor) throws -> [Int] {
    try Self.ranked(queries, images, lengths, count: min(count, labelOfImage.count)).map { neighbours in
      Self.vote(neighbours.map { labelOfImage[$0] }, labels: labels)
    }
  }

  /// For each query the nearest images, the nearest first.
  private static func ranked(_ queries: Tensor, _ images: Tensor, _ lengths: Tensor, count: Int) throws -> [[Int]] {
    let batch = max(1, 1 << 24 / images.shape[0])  // 64 MiB of distances
    let transposed = try images.transposed(0, 1)
    var all: [[Int]] = []
    for start in stride(from: 0, to: queries.shape[0], by: batch) {
      let part = try queries.slice(0, start..<min(start + batch, queries.shape[0]))
      let distances = try lengths - part.matmul(transposed) * 2  // [B, N], up to the query's squared length
      let found = try topOperator(
        .tensor(distances), .int(count), .int(1), .bool(false), .bool(true))
      guard case .tensor(let indices) = found[1] else { preconditionFailure("topk returns values and indices") }
      let numbers = try indices.array(Int.self)
      all += (0..<part.shape[0]).map { Array(numbers[$0 * count..<($0 + 1) * count]) }
    }
    return all
  }

  /// The majority; of equals the label of the nearest.
  private static func vote(_ neighbours: [Int], labels: Int) -> Int {
    var counts = [Int](repeating: 0, count: labels)
    for label in neighbours { counts[label] += 1 }
    let most = counts.max()!
    return neighbours.first { counts[$0] == most } ?? 0
  }
}
