import DDN

/// `NodeStatistics` for tens of thousands of nodes: the same numbers, without tables of K x K and without scans of K.
///
/// A node has few rivals, so their counts are sparse; the busiest and the rarest node come from a tournament. Two things
/// differ from `NodeStatistics`. Distances to nodes that were not chosen are not known here, so of unused nodes the
/// first is given up, not the farthest. And a pruned node that is its own only rival leaves its count to nobody, where
/// the original hands it to all nodes alike.
/// Source: paper, section 3.2 and Algorithm 1; the original program's bookkeeping.
struct SparseNodeStatistics {
  /// `[K]`, how many samples each node was nearest to; splits share counts out, so they need not be whole.
  private(set) var counts: CountTournament
  /// Row `i`, column `j`: how often node `j` was second nearest when node `i` was nearest.
  private(set) var rivals: RivalMatrix
  /// Samples recorded so far.
  private(set) var images = 0
  /// The sum of all counts.
  private(set) var total = 0.0

  /// Statistics of nodes that have seen nothing.
  ///
  /// - Parameter nodes: K, at least 2.
  init(nodes: Int) {
    counts = CountTournament(count: nodes)
    rivals = RivalMatrix(size: nodes)
  }

  /// Begins to bring in what `record` will read first.
  @inline(__always)
  func prefetch(nearest: Int, second: Int) {
    counts.prefetch(nearest)
    rivals.prefetch(row: nearest, column: second)
  }

  /// Begins to bring in the rest, once the first has come.
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

  /// Writes into the statistics that `pruned` was overwritten by a copy of `donor`.
  mutating func split(donor: Int, pruned: Int, rule: SplitPolicy.Rule) {
    if rule == .totalVariation { redistribute(pruned) }
    // What is left of it, under the paper's rule all, is forgotten.
    total -= counts[pruned]
    rivals.clear(row: pruned)
    rivals.clear(column: pruned)
    shareOut(donor, with: pruned)
  }

  /// Hands what was counted for `pruned` to the nodes that were second nearest.
  private mutating func redistribute(_ pruned: Int) {
    if nodes == 2 {
      // With two nodes each is always the other's rival, so samples seen are all there is to know.
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
      // Won samples: each heir faces them with the rivals that it has anyway.
      for heir in heirs { spread(wins * heir.value, overRivalsOf: Int(heir.column)) }
      // Samples on which `pruned` was second: its heirs become the rivals.
      for node in rivals.rows(ofColumn: pruned) { rivals.add(heirs, times: rivals[node, pruned], row: node) }
    } else {
      // Nobody else is known to have been second where `pruned` won; its count, if any, is dropped.
      let losers = rivals.rows(ofColumn: pruned).map { ($0, rivals[$0, pruned]) }
      rivals.clear(column: pruned)
      for (node, losses) in losers { spread(losses, overRivalsOf: node) }
    }
  }

  /// Adds an amount to a node's rivals, in proportion to what each has; none stay none.
  private mutating func spread(_ amount: Double, overRivalsOf node: Int) {
    let sum = rivals.sum(row: node)
    if sum > 0 { rivals.scale(row: node, by: 1 + amount / sum) }
  }

  /// Halves what was counted for `donor` and gives one half to its twin.
  private mutating func shareOut(_ donor: Int, with twin: Int) {
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
