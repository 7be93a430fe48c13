/// Decides when a layer overwrites its rarest node with a copy of its busiest one.
///
/// Call `decide(_:)` per layer after every optimizer step, then `NodeStatistics.split`.
/// Source: paper, section 3.2 and Algorithm 1.
public struct SplitPolicy: Codable, Sendable, Equatable {
  /// The condition for a split; a fair share is 1 / K.
  public enum Rule: String, Codable, Sendable, CaseIterable {
    /// The paper's thresholds: the busiest node has more than twice, or the rarest less than half, a fair share.
    case paper
    /// The original program's rule: the split reduces the pair's deviation from fair shares by more than pruning costs,
    /// or the rarest node has less than half a fair share.
    case totalVariation = "total-variation"
    /// Never: plain gradient descent.
    case none
  }

  /// The two nodes of a split.
  public struct Split: Codable, Sendable, Equatable {
    /// The node that is copied.
    public var donor: Int
    /// The node that is overwritten.
    public var pruned: Int

    public init(donor: Int, pruned: Int) {
      self.donor = donor
      self.pruned = pruned
    }
  }

  public var rule: Rule
  /// A layer splits only after more images (not batches) than this.
  public var warmupImages: Int

  public init(rule: Rule = .totalVariation, warmupImages: Int = 0) {
    self.rule = rule
    self.warmupImages = warmupImages
  }

  /// The split that is due, if any.
  ///
  /// The first of equally busy nodes is the donor. Shares are of the sum of counts, which with `paper` shrinks by the
  /// pruned count at each split, like the paper's n; `images` is used for the warm-up only.
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

  /// Whether the rule's inequality holds, strictly.
  private static func isDue(
    _ rule: Rule, donorShare: Double, prunedShare: Double, fairShare: Double
  ) -> Bool {
    switch rule {
    case .paper:
      return donorShare > 2 * fairShare || prunedShare < 0.5 * fairShare
    case .totalVariation:
      // After the split both twins have half the donor's share, and the pruned node's images are misassigned.
      let deviationAfter = 2 * abs(donorShare / 2 - fairShare) + prunedShare
      return deviationAfter < donorShare - prunedShare || prunedShare < fairShare / 2
    case .none:
      return false
    }
  }
}
