/// When a layer gives up its rarest node for a copy of its busiest one.
///
/// Ask `decide(_:)` once a layer after every optimizer step, and follow with `NodeStatistics.split`.
/// Source: paper, section 3.2 and Algorithm 1.
public struct SplitPolicy: Codable, Sendable, Equatable {
  /// What makes a pair of nodes worth a split.
  public enum Rule: String, Codable, Sendable, CaseIterable {
    /// The paper's thresholds: the busiest node has more than twice, or the rarest less than half, a fair share.
    case paper
    /// The original program's rule: the split brings the pair closer to fair shares than pruning costs, or the
    /// rarest node has less than half a fair share.
    case totalVariation = "total-variation"
    /// Never: plain gradient descent.
    case none
  }

  /// The pair of nodes that a split concerns.
  public struct Split: Codable, Sendable, Equatable {
    /// The busy node that is cloned.
    public var donor: Int
    /// The idle node that is overwritten by the clone.
    public var pruned: Int

    /// A split that overwrites `pruned` by `donor`.
    public init(donor: Int, pruned: Int) {
      self.donor = donor
      self.pruned = pruned
    }
  }

  /// What makes a pair of nodes worth a split.
  public var rule: Rule
  /// Images (not batches) that a layer sees before splits begin: the first comes when it has seen more.
  public var warmupImages: Int

  /// A policy that splits by `rule` once more than `warmupImages` were seen.
  public init(rule: Rule = .totalVariation, warmupImages: Int = 0) {
    self.rule = rule
    self.warmupImages = warmupImages
  }

  /// The split that is due, if any: at most one, never of a node onto itself.
  ///
  /// Of equally busy nodes the first is the donor. `paper` takes shares of the sum of counts, which shrinks by the
  /// pruned node's count at each split, like the paper's n; `images` keeps counting and serves the warm-up alone.
  /// - Source: paper, Algorithm 1, lines 12 and 13.
  public func decide(_ use: some NodeUse) -> Split? {
    let total = use.total
    guard rule != .none, use.images > warmupImages, total > 0 else { return nil }
    let (busiest, rarest) = (use.busiest, use.rarest)
    let isDue = Self.isDue(
      rule, donorShare: busiest.count / total, prunedShare: rarest.count / total, fairShare: 1 / Double(use.nodes))
    guard isDue else { return nil }
    let pruned = rule == .totalVariation && rarest.count == 0 ? use.farthestUnused : rarest.node
    return busiest.node != pruned ? Split(donor: busiest.node, pruned: pruned) : nil
  }

  /// Whether shares of all images are uneven enough for `rule`; equality is not.
  private static func isDue(
    _ rule: Rule, donorShare: Double, prunedShare: Double, fairShare: Double
  ) -> Bool {
    switch rule {
    case .paper:
      return donorShare > 2 * fairShare || prunedShare < 0.5 * fairShare
    case .totalVariation:
      // After the split both twins have half the donor's share, and the pruned node's images are misplaced.
      let deviationAfter = 2 * abs(donorShare / 2 - fairShare) + prunedShare
      return deviationAfter < donorShare - prunedShare || prunedShare < fairShare / 2
    case .none:
      return false
    }
  }
}
