import Foundation
import Torch

/// How often each node of a layer was nearest in training, and the other counters of Split-and-Prune.
///
/// Arithmetic is in `Double` and in the original program's order, so counters are bit-identical to it.
/// Source: paper, section 3.2.
public struct NodeStatistics: Codable, Sendable, Equatable {
  /// `[K]`, images that each node was nearest to; fractional after splits.
  public internal(set) var counts: [Double]
  /// `[K * K]`, row `i`, column `j`: how often node `j` was second nearest when node `i` was nearest.
  public internal(set) var rivalCounts: [Double]
  /// `[K]`, each node's distance summed over all images.
  public internal(set) var distanceSums: [Double]
  /// Images recorded so far.
  public internal(set) var images: Int
  /// Batches recorded so far.
  public internal(set) var batches: Int
  /// `[K]`, a unique id of the node at each index; a split gives both twins new ids.
  public internal(set) var lineage: [Int]
  /// The largest id so far.
  public internal(set) var newestLineage: Int
  /// The value of `images` at every split, oldest first.
  public internal(set) var splitImages: [Int]

  /// K.
  public var nodes: Int { counts.count }

  /// Statistics before the first image.
  ///
  /// - Parameter nodes: K, at least 2.
  public init(nodes: Int) {
    precondition(nodes >= 2, "a layer needs at least 2 nodes, not \(nodes)")
    self.init(
      counts: Array(repeating: 0, count: nodes),
      rivalCounts: Array(repeating: 0, count: nodes * nodes),
      distanceSums: Array(repeating: 0, count: nodes),
      images: 0)
  }

  /// Statistics from elsewhere, such as an original snapshot.
  ///
  /// Defaults are those of a layer that was never split. All sizes must agree with `counts.count`, which is at least 2.
  public init(
    counts: [Double], rivalCounts: [Double], distanceSums: [Double], images: Int, batches: Int = 0,
    lineage: [Int]? = nil, newestLineage: Int? = nil, splitImages: [Int] = []
  ) {
    self.counts = counts
    self.rivalCounts = rivalCounts
    self.distanceSums = distanceSums
    self.images = images
    self.batches = batches
    self.lineage = lineage ?? Array(counts.indices)
    self.newestLineage = newestLineage ?? self.lineage.max() ?? 0
    self.splitImages = splitImages
    if let validationError { preconditionFailure(validationError) }
  }

  /// Reads statistics from a checkpoint.
  ///
  /// - Throws: `DecodingError.dataCorrupted` when the sizes of the arrays disagree.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    counts = try values.decode([Double].self, forKey: .counts)
    rivalCounts = try values.decode([Double].self, forKey: .rivalCounts)
    distanceSums = try values.decode([Double].self, forKey: .distanceSums)
    images = try values.decode(Int.self, forKey: .images)
    batches = try values.decode(Int.self, forKey: .batches)
    lineage = try values.decode([Int].self, forKey: .lineage)
    newestLineage = try values.decode(Int.self, forKey: .newestLineage)
    splitImages = try values.decode([Int].self, forKey: .splitImages)
    if let validationError {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: validationError))
    }
  }

  /// The error if sizes of arrays disagree.
  private var validationError: String? {
    let sizes = [rivalCounts.count, distanceSums.count, lineage.count]
    if nodes >= 2 && sizes == [nodes * nodes, nodes, nodes] { return nil }
    return "node statistics disagree: \(nodes) counts (at least 2) need \(nodes * nodes) rival counts, "
      + "\(nodes) distance sums and \(nodes) lineage numbers, not \(sizes)"
  }

  /// Adds one batch.
  ///
  /// - Parameters:
  ///   - nearest: `[B]`, the nearest node of each image.
  ///   - second: `[B]`, the second nearest node of each image.
  ///   - distanceSums: `[K]`, distances summed over the batch.
  /// - Source: paper, Algorithm 1, lines 10 and 11.
  public mutating func record(nearest: [Int], second: [Int], distanceSums: [Float]) {
    precondition(
      nearest.count == second.count && distanceSums.count == nodes,
      "a batch of \(nearest.count) nearest, \(second.count) second nearest and \(distanceSums.count) "
        + "distance sums does not fit a layer of \(nodes) nodes")
    for (node, rival) in zip(nearest, second) {
      precondition(
        counts.indices.contains(node) && counts.indices.contains(rival) && node != rival,
        "nodes \(node) and \(rival) are not two of 0..<\(nodes)")
      counts[node] += 1
      rivalCounts[node * nodes + rival] += 1
    }
    for (node, sum) in distanceSums.enumerated() { self.distanceSums[node] += Double(sum) }
    images += nearest.count
    batches += 1
  }

  /// The two nearest nodes of every image; the lowest index comes first among equals.
  ///
  /// The original orders three or more equal smallest distances arbitrarily and can pair them wrongly.
  /// - Parameter distances: `[B, K]`, K at least 2, none of them NaN.
  /// - Returns: `[B]` int64 nearest and `[B]` int64 second nearest nodes.
  public static func nearestPairs(_ distances: Tensor) throws(TorchError) -> (nearest: Tensor, second: Tensor) {
    let nearest = try distances.argmin(1)
    let others = try distances.scattering(.infinity, at: nearest.reshaped([-1, 1]), dimension: 1)
    return (nearest, try others.argmin(1))
  }

  /// Sum of all counts: the paper's n, from which it subtracts pruned counts.
  public var total: Double { pairwiseSum(counts[...]) }

  /// The node's fraction of all counts, in `0...1`; 0 before the first image.
  public func share(of node: Int) -> Double {
    let total = total
    return total > 0 ? counts[node] / total : 0
  }

  /// Perplexity of node use, exp(entropy of shares), in `1...K`; 0 before the first image.
  public var perplexity: Double {
    let total = total
    guard total > 0 else { return 0 }
    let entropy = counts.reduce(0) { entropy, count in
      count > 0 ? entropy - count / total * log(count / total) : entropy
    }
    return exp(entropy)
  }
}
