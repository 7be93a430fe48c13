import DDN
import Foundation
import Torch

/// Reads the label of a code from the votes of all labelled codes, weighted by the distance of their decoded images.
///
/// Where the tree cuts between two similar images, their codes share no prefix; their images are near all the same. With
/// few labelled codes far ones count, too; with many the code's own leaf decides.
public struct NeighbourClassifier {
  /// The widths that are compared, in units of the mean distance of the nearest other code; 0 for the nearest alone.
  public static let widths = [0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8]
  /// Labelled images that choose the width, at most.
  private static let judges = 2000
  /// Distinct codes that vote for one image, at most.
  private static let voters = 64
  /// Larger images are averaged to this many pixels on a side before they are compared, for speed.
  private static let side = 16

  private static let topOperator = Operator("aten::topk")

  /// Decoded images, `[B, C, H, W]` in [-1, 1], as they are compared: `[B, D]` uint8.
  ///
  /// - Throws: `TorchError`.
  public static func pixels(of images: Tensor) throws(TorchError) -> Tensor {
    let shape = images.shape
    let pooled = try images.resizedArea(height: min(shape[2], side), width: min(shape[3], side))
    return try (pooled * 127.5 + 127.5).rounded().clamped(0...255).to(.uint8).reshaped([shape[0], -1])
  }

  /// `[U, D]`, the images of distinct labelled codes.
  private let images: Tensor
  /// `[U]`, squared lengths.
  private let lengths: Tensor
  /// `[U][labels]`
  private let votes: [[Double]]
  private let labels: Int
  /// The distance at which a vote counts 1/e as much; 0 when only the nearest code votes.
  public private(set) var width = 0.0

  /// Chooses the width by leaving out one labelled image at a time.
  ///
  /// - Parameters:
  ///   - images: `[N, D]` float32, the decoded images of labelled codes; at least one.
  ///   - codeOfImage: `[N]`, equal numbers for equal codes.
  ///   - labelOfImage: `[N]`, each in `0..<labels`.
  ///   - labels: number of labels.
  /// - Throws: `TorchError`.
  public init(_ images: Tensor, codeOfImage: [Int], labelOfImage: [Int], labels: Int) throws {
    var (places, firsts, votes): ([Int: Int], [Int], [[Double]]) = ([:], [], [])
    for (image, (code, label)) in zip(codeOfImage, labelOfImage).enumerated() {
      let place = places[code, default: firsts.count]
      if place == firsts.count {
        places[code] = place
        firsts.append(image)
        votes.append([Double](repeating: 0, count: labels))
      }
      votes[place][label] += 1
    }
    self.images = try images.gathered(Tensor(firsts, shape: [firsts.count]))
    lengths = try self.images.squared().sum([1])
    (self.votes, self.labels) = (votes, labels)
    guard firsts.count > 1 else { return }

    let judges = min(labelOfImage.count, Self.judges)
    let ranked = try rank(images.slice(0, 0..<judges))
    // The nearest code is usually the judge's own.
    let unit = ranked.reduce(0) { $0 + $1[1].distance } / Double(judges)
    let correct = Self.widths.map { width in
      (0..<judges).count { judge in
        let own = (code: places[codeOfImage[judge]]!, label: labelOfImage[judge])
        return vote(ranked[judge], width: width * unit, omitting: own) == own.label
      }
    }
    width = Self.widths[correct.firstIndex(of: correct.max()!)!] * unit
  }

  /// The labels of decoded images, `[B, D]` float32.
  ///
  /// - Throws: `TorchError`.
  public func labels(of queries: Tensor) throws -> [Int] {
    try rank(queries).map { vote($0, width: width) }
  }

  /// A distinct code and its distance to a query, squared.
  private typealias Neighbour = (code: Int, distance: Double)

  /// For each query the nearest codes, the nearest first.
  private func rank(_ queries: Tensor) throws -> [[Neighbour]] {
    let count = min(Self.voters, votes.count)
    let batch = max(1, 1 << 24 / votes.count)  // 64 MiB of distances
    let transposed = try images.transposed(0, 1)
    var all: [[Neighbour]] = []
    for start in stride(from: 0, to: queries.shape[0], by: batch) {
      let part = try queries.slice(0, start..<min(start + batch, queries.shape[0]))
      let ownLengths = try part.squared().sum([1], keepingDimensions: true)
      let distances = try lengths - part.matmul(transposed) * 2 + ownLengths  // [B, U]
      let found = try Self.topOperator(.tensor(distances), .int(count), .int(1), .bool(false), .bool(true))
      guard case .tensor(let values) = found[0], case .tensor(let indices) = found[1] else {
        preconditionFailure("topk returns values and indices")
      }
      let (near, codes) = (try values.array(Double.self), try indices.array(Int.self))
      for query in 0..<part.shape[0] {
        all.append((query * count..<(query + 1) * count).map { (codes[$0], max(near[$0], 0)) })
      }
    }
    return all
  }

  /// The label with the most votes, the lowest of equals.
  ///
  /// - Parameter omitting: a code and the label of one of its votes that is ignored; nil for none.
  private func vote(_ neighbours: [Neighbour], width: Double, omitting: (code: Int, label: Int)? = nil) -> Int {
    var sums = [Double](repeating: 0, count: labels)
    // Weights are relative to the nearest code that votes.
    var first: Double?
    for (code, distance) in neighbours {
      var votes = votes[code]
      if let omitting, omitting.code == code { votes[omitting.label] -= 1 }
      guard votes.contains(where: { $0 > 0 }) else { continue }
      let nearest = first ?? distance
      first = nearest
      if width == 0, distance > nearest { break }
      let weight = width == 0 ? 1 : exp(-(distance - nearest) / width)
      for label in 0..<labels { sums[label] += weight * votes[label] }
    }
    return sums.firstIndex(of: sums.max()!)!
  }
}
