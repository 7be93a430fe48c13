extension SparseNodeStatistics {
  /// The first broken invariant, if any; O(K), for tests.
  func brokenInvariant() -> String? {
    if let count = counts.counts.first(where: { !($0 >= 0 && $0.isFinite) }) { return "a count is \(count)" }
    let sum = counts.counts.reduce(0, +)
    if abs(sum - total) > 1e-9 * Double(max(images, 1)) { return "counts sum to \(sum), not to the total \(total)" }
    if total > Double(images) * (1 + 1e-9) { return "the total \(total) exceeds \(images) samples" }
    let (largest, smallest) = (counts.counts.max()!, counts.counts.min()!)
    if counts.busiest != counts.counts.firstIndex(of: largest)! { return "node \(counts.busiest) is not the busiest" }
    if counts.rarest != counts.counts.firstIndex(of: smallest)! { return "node \(counts.rarest) is not the rarest" }
    return rivals.brokenInvariant()
  }
}

extension RivalMatrix {
  /// The first broken invariant, if any: rows and columns must list the same entries.
  func brokenInvariant() -> String? {
    var ofRows: Set<[Int]> = []
    for row in 0..<size {
      for entry in self.row(row) {
        guard ofRows.insert([row, Int(entry.column)]).inserted else { return "row \(row) lists a column twice" }
        guard entry.value >= 0 && entry.value.isFinite else { return "row \(row) holds \(entry.value)" }
      }
    }
    let ofColumns = (0..<size).flatMap { column in rows(ofColumn: column).map { [$0, column] } }
    return ofRows == Set(ofColumns) && ofRows.count == ofColumns.count ? nil : "rows and columns list different entries"
  }
}
