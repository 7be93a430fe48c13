import Foundation

/// How often each node of one layer was chosen in training, and what else Split-and-Prune needs to know.
///
/// Arithmetic is in `Double` and in the original program's order, so its counters are reproduced bit for bit.
/// Source: paper, section 3.2.
public struct NodeStatistics: Codable, Sendable, Equatable {
  /// `[K]`, how many images each node was nearest to; splits share counts out, so they need not be whole.
  public internal(set) var counts: [Double]
  /// `[K * K]`, row `i`, column `j`: how often node `j` was second nearest when node `i` was nearest.
  public internal(set) var rivalCounts: [Double]
  /// `[K]`, sum over all images of the distance to each node, chosen or not.
  public internal(set) var distanceSums: [Double]
  /// Images recorded so far.
  public internal(set) var images: Int
  /// Batches recorded so far.
  public internal(set) var batches: Int
  /// `[K]`, the number of the node that now lives at each index; both twins of a split get new numbers.
  public internal(set) var lineage: [Int]
  /// The largest number in `lineage` so far.
  public internal(set) var newestLineage: Int
  /// The value of `images` at every split, oldest first.
  public internal(set) var splitImages: [Int]

  /// How many nodes the layer has, K.
  public var nodes: Int { counts.count }

  /// Statistics of a layer that has seen nothing.
  ///
  /// - Parameter nodes: K, at least 2.
  public init(nodes: Int) {
    precondition(nodes >= 2, "a layer needs at least 2 nodes to choose from, not \(nodes)")
    self.init(
      counts: Array(repeating: 0, count: nodes),
      rivalCounts: Array(repeating: 0, count: nodes * nodes),
      distanceSums: Array(repeating: 0, count: nodes),
      images: 0)
  }

  /// Statistics taken from elsewhere, such as an original snapshot.
  ///
  /// Left out, `lineage` and `newestLineage` are those of a layer that was never split.
  /// All sizes must agree with `counts.count`, which must be at least 2.
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
    if let disagreement { preconditionFailure(disagreement) }
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
    if let disagreement {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: disagreement))
    }
  }

  /// What is wrong with the sizes of the arrays, if anything.
  private var disagreement: String? {
    let sizes = [rivalCounts.count, distanceSums.count, lineage.count]
    if nodes >= 2 && sizes == [nodes * nodes, nodes, nodes] { return nil }
    return "node statistics disagree: \(nodes) counts (at least 2) need \(nodes * nodes) rival counts, "
      + "\(nodes) distance sums and \(nodes) lineage numbers, not \(sizes)"
  }

  /// Adds one batch.
  ///
  /// - Parameters:
  ///   - nearest: `[B]`, the nearest node of each image.
  ///   - second: `[B]`, the second nearest node of each image, never the nearest one.
  ///   - distanceSums: `[K]`, the batch's distances summed over its images.
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

  /// The two nearest nodes of every image; of equal distances the lowest index comes first.
  ///
  /// The original orders three or more equal smallest distances by chance and can pair them wrongly; here they
  /// are ordered like all others.
  /// - Parameters:
  ///   - distances: `[B, K]`, row-major, none of them NaN.
  ///   - nodes: K, at least 2.
  /// - Returns: `[B]` nearest and `[B]` second nearest nodes.
  public static func nearestPairs(distances: [Float], nodes: Int) -> (nearest: [Int], second: [Int]) {
    precondition(
      nodes >= 2 && distances.count % nodes == 0,
      "\(distances.count) distances are not rows of \(nodes) nodes (at least 2)")
    var nearest: [Int] = []
    var second: [Int] = []
    for row in stride(from: 0, to: distances.count, by: nodes) {
      var first = 0
      var rival = 1
      if distances[row + 1] < distances[row] { swap(&first, &rival) }
      for node in 2..<nodes {
        if distances[row + node] < distances[row + first] {
          rival = first
          first = node
        } else if distances[row + node] < distances[row + rival] {
          rival = node
        }
      }
      nearest.append(first)
      second.append(rival)
    }
    return (nearest, second)
  }

  /// Sum of all counts: the paper's n, from which a pruned node's count has been taken away.
  public var total: Double { pairwiseSum(counts[...]) }

  /// The fraction of all counts that fell to `node`, in `0...1`; 0 before the first image.
  public func share(of node: Int) -> Double {
    let total = total
    return total > 0 ? counts[node] / total : 0
  }

  /// How many equally used nodes would be as uncertain as these, in `1...K`; 0 before the first image.
  public var perplexity: Double {
    let total = total
    guard total > 0 else { return 0 }
    let entropy = counts.reduce(0) { entropy, count in
      count > 0 ? entropy - count / total * log(count / total) : entropy
    }
    return exp(entropy)
  }
}
