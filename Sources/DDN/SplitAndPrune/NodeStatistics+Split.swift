extension NodeStatistics {
  /// Writes into the statistics that `pruned` was overwritten by a copy of `donor`.
  ///
  /// Twins share the donor's count, and each is the other's rival for all images that were the donor's.
  /// - Parameters:
  ///   - donor: the busy node that is cloned.
  ///   - pruned: the idle node that is overwritten, another one than `donor`.
  ///   - rule: `totalVariation` hands the pruned node's images to their second nearest nodes, so that the sum of
  ///     counts stays; `paper` forgets them. `none` never splits and is refused.
  /// - Source: paper, Algorithm 1, lines 14 to 21; the original program's bookkeeping for `totalVariation`.
  public mutating func split(donor: Int, pruned: Int, rule: SplitPolicy.Rule) {
    precondition(
      counts.indices.contains(donor) && counts.indices.contains(pruned) && donor != pruned,
      "donor \(donor) and pruned \(pruned) are not two of the nodes 0..<\(nodes)")
    switch rule {
    case .totalVariation: redistribute(pruned)
    case .paper: forget(pruned)
    case .none: preconditionFailure("the rule \"none\" splits no node")
    }
    shareOut(donor, with: pruned)
    distanceSums[pruned] = distanceSums[donor]
    lineage[donor] = newestLineage + 1
    lineage[pruned] = newestLineage + 2
    newestLineage += 2
    splitImages.append(images)
  }

  /// Hands what was counted for `pruned` to the nodes that were second nearest.
  private mutating func redistribute(_ pruned: Int) {
    if nodes == 2 {
      // With two nodes each is always the other's rival, so images seen are all there is to know.
      rivalCounts = [0, Double(images) / 2, Double(images) / 2, 0]
    }
    let wins = rivalSum(of: pruned)
    if wins > 0 {
      rivalCounts[pruned * nodes + pruned] = 0
      let weights = heirs(of: pruned)
      let prunedCount = counts[pruned]
      for node in counts.indices { counts[node] += prunedCount * weights[node] }
      counts[pruned] = 0
      // Won images: each heir faces them with the rivals that it has anyway.
      spreadOverRivals(weights.map { wins * $0 })
      // Images on which `pruned` was second: its heirs become the rivals. A node may so become a rival of itself;
      // kept, because later splits share counts out by these numbers.
      for node in counts.indices {
        let losses = rivalCounts[node * nodes + pruned]
        for heir in counts.indices { rivalCounts[node * nodes + heir] += losses * weights[heir] }
      }
      clearRow(pruned)
      clearColumn(pruned)
    } else {
      // Nobody knows who was second where `pruned` won, and its count, if any, is dropped by `shareOut`.
      let losses = counts.indices.map { rivalCounts[$0 * nodes + pruned] }
      if pairwiseSum(losses[...]) > 0 {
        clearColumn(pruned)
        spreadOverRivals(losses)
      }
    }
  }

  /// `[K]`, the fraction of the pruned node's images that goes to each other node: to its rivals in proportion,
  /// to all alike where it has none.
  private func heirs(of pruned: Int) -> [Double] {
    let rivals = rivalSum(of: pruned)
    return counts.indices.map { node in
      if rivals > 0 { return rivalCounts[pruned * nodes + node] / rivals }
      return node == pruned ? 0 : 1 / Double(nodes - 1)
    }
  }

  /// Adds `amounts[i]` to row `i`, in proportion to what the row holds; an empty row stays empty.
  private mutating func spreadOverRivals(_ amounts: [Double]) {
    for node in counts.indices {
      let sum = rivalSum(of: node) + 1e-20  // Kept for equal bits: keeps an empty row's 0 / 0 away.
      for index in node * nodes..<(node + 1) * nodes {
        rivalCounts[index] += amounts[node] * (rivalCounts[index] / sum)
      }
    }
  }

  /// Drops all that was counted for `pruned`, as the paper's algorithm does.
  private mutating func forget(_ pruned: Int) {
    counts[pruned] = 0
    clearRow(pruned)
    clearColumn(pruned)
  }

  /// Halves what was counted for `donor` and gives one half to its twin.
  private mutating func shareOut(_ donor: Int, with twin: Int) {
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
