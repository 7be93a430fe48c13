import DDN
import Foundation

/// Counts the labels of codes at every node of their paths, and reads the labels of other codes.
///
/// Source: paper, Table 3 and the text on semantic performance of latents.
public struct LabelTree: Sendable {
  /// Number of labels.
  public let labels: Int
  /// The child of a node, by `node << 32 | step`.
  private var children: [UInt64: Int32] = [:]
  /// `[nodes, labels]`.
  private var votes: [Int32]
  /// `[nodes]`, the sum of a node's votes.
  private var totals: [Int32] = [0]

  /// Counts votes.
  ///
  /// - Parameters:
  ///   - codes: of the images.
  ///   - rows: labelled images, as rows of `codes`.
  ///   - labelOfRow: `[codes.count]`, each in `0..<labels`; read at `rows` only.
  ///   - labels: number of labels.
  public init(_ codes: PathTable, rows: some Sequence<Int>, labelOfRow: [Int], labels: Int) {
    self.labels = labels
    votes = [Int32](repeating: 0, count: labels)
    for row in rows {
      let label = labelOfRow[row]
      var node: Int32 = 0
      vote(label, at: node)
      for depth in 0..<codes.steps {
        let key = Self.key(node, codes.step(depth, of: row))
        if let child = children[key] {
          node = child
        } else {
          node = Int32(totals.count)
          children[key] = node
          totals.append(0)
          votes.append(contentsOf: repeatElement(0, count: labels))
        }
        vote(label, at: node)
      }
    }
  }

  private static func key(_ node: Int32, _ step: Int) -> UInt64 { UInt64(node) << 32 | UInt64(step) }

  private mutating func vote(_ label: Int, at node: Int32) {
    votes[Int(node) * labels + label] += 1
    totals[Int(node)] += 1
  }

  /// The nodes with votes on a code's path, from the root.
  private func path(_ codes: PathTable, _ row: Int) -> [Int] {
    var path = [0]
    for depth in 0..<codes.steps {
      guard let child = children[Self.key(Int32(path[depth]), codes.step(depth, of: row))] else { break }
      path.append(Int(child))
    }
    return path
  }

  /// The majority at the deepest node of the code's path that has votes.
  ///
  /// Ties are broken by the votes of the node's ancestors, the nearest first, then by the lowest label.
  ///
  /// - Parameters:
  ///   - codes: holds the code.
  ///   - row: of the code.
  public func majority(_ codes: PathTable, row: Int) -> Int {
    var best = Array(0..<labels)
    for node in path(codes, row).reversed() where best.count > 1 {
      let most = best.map { votes[node * labels + $0] }.max()!
      best = best.filter { votes[node * labels + $0] == most }
    }
    return best[0]
  }

  /// The label probabilities of a code, with the votes of ancestors smoothed into their descendants.
  ///
  /// From the root down, `p = (votes + strength p) / (total + strength)`, beginning with equal probabilities: few votes
  /// leave the parent's probabilities, many replace them.
  ///
  /// - Parameters:
  ///   - codes: holds the code.
  ///   - row: of the code.
  ///   - strength: weight of the parent, in votes; above 0.
  ///   - omitting: a label of which one vote on the path is ignored, to judge a code that has voted; nil for none.
  /// - Returns: `[labels]`.
  public func probabilities(_ codes: PathTable, row: Int, strength: Double, omitting: Int? = nil) -> [Double] {
    var result = [Double](repeating: 1 / Double(labels), count: labels)
    for node in path(codes, row) {
      let total = Double(totals[node]) - (omitting == nil ? 0 : 1)
      if total == 0 { break }
      for label in 0..<labels {
        let count = Double(votes[node * labels + label]) - (label == omitting ? 1 : 0)
        result[label] = (count + strength * result[label]) / (total + strength)
      }
    }
    return result
  }

  /// The strengths that `bestStrength` compares.
  public static let strengths = [0.03, 0.1, 0.3, 1, 3, 10, 30, 100]

  /// The strength with the highest likelihood of labelled codes, each judged by the votes of the others.
  ///
  /// - Parameters:
  ///   - codes: of the images.
  ///   - rows: labelled images that have voted.
  ///   - labelOfRow: `[codes.count]`.
  public func bestStrength(_ codes: PathTable, rows: some Sequence<Int>, labelOfRow: [Int]) -> Double {
    let rows = Array(rows)
    let likelihoods = Self.strengths.map { strength in
      rows.reduce(0) { sum, row in
        let label = labelOfRow[row]
        return sum + log(probabilities(codes, row: row, strength: strength, omitting: label)[label])
      }
    }
    return Self.strengths[likelihoods.indices.max { likelihoods[$0] < likelihoods[$1] }!]
  }
}
