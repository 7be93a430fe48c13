extension NodeStatistics {
  /// Records that `pruned` was overwritten by a copy of `donor`.
  ///
  /// Both get half of the donor's count, and each is the other's rival for its images.
  /// - Parameters:
  ///   - donor: the node that is copied.
  ///   - pruned: the node that is overwritten; not `donor`.
  ///   - rule: `totalVariation` moves the pruned node's counts to the second nearest nodes, which preserves the sum;
  ///     `paper` drops them. `none` is a precondition failure.
  /// - Source: paper, Algorithm 1, lines 14 to 21; the original program's bookkeeping for `totalVariation`.
  public mutating func split(donor: Int, pruned: Int, rule: SplitPolicy.Rule) {
    precondition(
      counts.indices.contains(donor) && counts.indices.contains(pruned) && donor != pruned,
      "donor \(donor) and pruned \(pruned) are not two of the nodes 0..<\(nodes)")
    switch rule {
    case .totalVariation: redistribute(pruned)
    case .paper: clear(pruned)
    case .none: preconditionFailure("the rule 'none' does not split")
    }
    halve(donor, with: pruned)
    distanceSums[pruned] = distanceSums[donor]
    lineage[donor] = newestLineage + 1
    lineage[pruned] = newestLineage + 2
    newestLineage += 2
    splitImages.append(images)
  }

  /// Moves the counts of `pruned` to the nodes that were second nearest.
  private mutating func redistribute(_ pruned: Int) {
    if nodes == 2 {
      // Each of two nodes is always the other's rival.
      rivalCounts = [0, Double(images) / 2, Double(images) / 2, 0]
    }
    let wins = rivalSum(of: pruned)
    if wins > 0 {
      rivalCounts[pruned * nodes + pruned] = 0
      let weights = rivalShares(of: pruned)
      let prunedCount = counts[pruned]
      for node in counts.indices { counts[node] += prunedCount * weights[node] }
      counts[pruned] = 0
      // Images nearest to `pruned`: distributed like each node's other images.
      spreadOverRivals(weights.map { wins * $0 })
      // Images on which `pruned` was second. A node may become a rival of itself; kept, as in the original, because
      // later splits divide by these sums.
      for node in counts.indices {
        let losses = rivalCounts[node * nodes + pruned]
        for rival in counts.indices { rivalCounts[node * nodes + rival] += losses * weights[rival] }
      }
      clearRow(pruned)
      clearColumn(pruned)
    } else {
      // The second nearest nodes of the images of `pruned` are unknown; `halve` overwrites its count.
      let losses = counts.indices.map { rivalCounts[$0 * nodes + pruned] }
      if pairwiseSum(losses[...]) > 0 {
        clearColumn(pruned)
        spreadOverRivals(losses)
      }
    }
  }

  /// `[K]`, each node's share of the pruned node's images: in proportion to rival counts, uniform if there are none.
  private func rivalShares(of pruned: Int) -> [Double] {
    let rivals = rivalSum(of: pruned)
    return counts.indices.map { node in
      if rivals > 0 { return rivalCounts[pruned * nodes + node] / rivals }
      return node == pruned ? 0 : 1 / Double(nodes - 1)
    }
  }

  /// Adds `amounts[i]` to row `i` in proportion to its entries; an empty row stays empty.
  private mutating func spreadOverRivals(_ amounts: [Double]) {
    for node in counts.indices {
      let sum = rivalSum(of: node) + 1e-20  // Avoids 0 / 0; the original's value, for equal bits.
      for index in node * nodes..<(node + 1) * nodes {
        rivalCounts[index] += amounts[node] * (rivalCounts[index] / sum)
      }
    }
  }

  /// Drops the counts of `pruned`, as in the paper's algorithm.
  private mutating func clear(_ pruned: Int) {
    counts[pruned] = 0
    clearRow(pruned)
    clearColumn(pruned)
  }

  /// Gives half of the donor's counts to its twin.
  private mutating func halve(_ donor: Int, with twin: Int) {
    counts[donor] /= 2
    counts[twin] = counts[donor]
    let wins = rivalSum(of: donor)
    for node in counts.indices {
      rivalCounts[node * nodes + donor] /= 2
      rivalCounts[node * nodes + twin] = rivalCounts[node * nodes + donor]
    }
    clearRow(donor)
    clearRow(twin)
    rivalCounts[donor * nodes + twin] = wins / 2
    rivalCounts[twin * nodes + donor] = wins / 2
  }

  private func rivalSum(of node: Int) -> Double {
    pairwiseSum(rivalCounts[node * nodes..<(node + 1) * nodes])
  }

  private mutating func clearRow(_ node: Int) {
    for index in node * nodes..<(node + 1) * nodes { rivalCounts[index] = 0 }
  }

  private mutating func clearColumn(_ node: Int) {
    for row in counts.indices { rivalCounts[row * nodes + node] = 0 }
  }
}
