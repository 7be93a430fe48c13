import DDN

/// `NodeStatistics` for tens of thousands of nodes: the same numbers without K x K tables or O(K) scans.
///
/// A node has few rivals, so their counts are sparse; a tournament tree gives the busiest and the rarest node. Two
/// differences: distances to other nodes are unknown, so of unused nodes the first is pruned, not the farthest; and the
/// count of a pruned node whose only rival is itself is dropped, where the original distributes it over all nodes.
/// Source: paper, section 3.2 and Algorithm 1; the original program's bookkeeping.
struct SparseNodeStatistics {
  /// `[K]`, samples per nearest node; fractional after splits.
  private(set) var counts: CountTournament
  /// Row `i`, column `j`: samples with nearest node `i` and second nearest `j`.
  private(set) var rivals: RivalMatrix
  /// Samples recorded so far.
  private(set) var images = 0
  /// The sum of all counts.
  private(set) var total = 0.0

  /// - Parameter nodes: K, at least 2.
  init(nodes: Int) {
    counts = CountTournament(count: nodes)
    rivals = RivalMatrix(size: nodes)
  }

  /// Prefetches what `record` reads first.
  @inline(__always)
  func prefetch(nearest: Int, second: Int) {
    counts.prefetch(nearest)
    rivals.prefetch(row: nearest, column: second)
  }

  /// Prefetches the rest; call some time after `prefetch`.
  @inline(__always)
  func prefetchRivals(nearest: Int, second: Int) { rivals.prefetchEntries(row: nearest, column: second) }

  /// Adds one sample.
  @inline(__always)
  mutating func record(nearest: Int, second: Int) {
    counts[nearest] += 1
    rivals.add(1, row: nearest, column: second)
    images += 1
    total += 1
  }

  /// Updates the statistics after `pruned` was replaced by a copy of `donor`.
  mutating func split(donor: Int, pruned: Int, rule: SplitPolicy.Rule) {
    if rule == .totalVariation { redistribute(pruned) }
    // The remaining count, under the paper's rule all of it, is dropped.
    total -= counts[pruned]
    rivals.clear(row: pruned)
    rivals.clear(column: pruned)
    halve(donor, with: pruned)
  }

  /// Distributes the counts of `pruned` over the nodes that were second nearest.
  private mutating func redistribute(_ pruned: Int) {
    if nodes == 2 {
      // Of two nodes, each is always the other's rival.
      for node in 0..<2 {
        rivals.clear(row: node)
        rivals.add(Double(images) / 2, row: node, column: 1 - node)
      }
    }
    let wins = rivals.sum(row: pruned)
    rivals.clear(row: pruned, column: pruned)
    var heirs = rivals.row(pruned)
    let known = heirs.reduce(0) { $0 + $1.value }
    if known > 0 {
      for index in heirs.indices { heirs[index].value /= known }
      for heir in heirs { counts[Int(heir.column)] += counts[pruned] * heir.value }
      counts[pruned] = 0
      // Samples nearest to `pruned`: distributed over each heir's rivals.
      for heir in heirs { spread(wins * heir.value, overRivalsOf: Int(heir.column)) }
      // Samples with `pruned` second: its heirs become the rivals.
      for node in rivals.rows(ofColumn: pruned) { rivals.add(heirs, times: rivals[node, pruned], row: node) }
    } else {
      // `pruned` has no rival but itself; its count is dropped.
      let losers = rivals.rows(ofColumn: pruned).map { ($0, rivals[$0, pruned]) }
      rivals.clear(column: pruned)
      for (node, losses) in losers { spread(losses, overRivalsOf: node) }
    }
  }

  /// Adds an amount to a node's rivals in proportion to their counts; does nothing without rivals.
  private mutating func spread(_ amount: Double, overRivalsOf node: Int) {
    let sum = rivals.sum(row: node)
    if sum > 0 { rivals.scale(row: node, by: 1 + amount / sum) }
  }

  /// Splits the counts of `donor` evenly with its twin.
  private mutating func halve(_ donor: Int, with twin: Int) {
    counts[donor] /= 2
    counts[twin] = counts[donor]
    let wins = rivals.sum(row: donor)
    rivals.clear(row: donor)
    for node in rivals.rows(ofColumn: donor) {
      let half = rivals[node, donor] / 2
      rivals.add(-half, row: node, column: donor)
      rivals.add(half, row: node, column: twin)
    }
    rivals.add(wins / 2, row: donor, column: twin)
    rivals.add(wins / 2, row: twin, column: donor)
  }
}

extension SparseNodeStatistics: NodeUse {
  var nodes: Int { counts.counts.count }
  var busiest: (node: Int, count: Double) { (counts.busiest, counts[counts.busiest]) }
  var rarest: (node: Int, count: Double) { (counts.rarest, counts[counts.rarest]) }

  var farthestUnused: Int { rarest.node }
}
