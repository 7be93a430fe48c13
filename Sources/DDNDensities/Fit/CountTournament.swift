import CPrefetch

/// Counts with the largest and smallest in O(1): a tournament tree of branching factor 16.
///
/// An update climbs the tree only as far as winners change. Ties go to the lowest node index.
struct CountTournament {
  private static let groupSize = 16

  /// `[K]`.
  private(set) var counts: [Double]
  /// For each round, the winner of every group; the last round has one group.
  private var largest: [[Int32]] = []
  private var smallest: [[Int32]] = []

  /// - Parameter count: K, at least 1; all counts start at 0.
  init(count: Int) {
    counts = Array(repeating: 0, count: count)
    var groups = count
    var span = 1
    repeat {
      groups = (groups + Self.groupSize - 1) / Self.groupSize
      span *= Self.groupSize
      let firsts = (0..<groups).map { Int32($0 * span) }
      largest.append(firsts)
      smallest.append(firsts)
    } while groups > 1
  }

  /// The first node with the largest count.
  var busiest: Int { Int(largest[largest.count - 1][0]) }
  /// The first node with the smallest count.
  var rarest: Int { Int(smallest[smallest.count - 1][0]) }

  subscript(node: Int) -> Double {
    get { counts[node] }
    set {
      let old = counts[node]
      counts[node] = newValue
      if newValue > old {
        raise(node)
      } else if newValue < old {
        replay(node)
      }
    }
  }

  @inline(__always)
  func prefetch(_ node: Int) {
    counts.withUnsafeBufferPointer { CPrefetch.prefetch($0.baseAddress! + node) }
    largest[0].withUnsafeBufferPointer { CPrefetch.prefetch($0.baseAddress! + node / Self.groupSize) }
    smallest[0].withUnsafeBufferPointer { CPrefetch.prefetch($0.baseAddress! + node / Self.groupSize) }
  }

  /// Updates after an increase: only this node can become a largest, or stop being a smallest.
  @inline(__always)
  private mutating func raise(_ node: Int) {
    var group = node
    for round in largest.indices {
      group /= Self.groupSize
      let winner = Int(largest[round][group])
      if winner == node { continue }
      guard counts[node] > counts[winner] || (counts[node] == counts[winner] && node < winner) else { break }
      largest[round][group] = Int32(node)
    }
    group = node
    for round in smallest.indices {
      group /= Self.groupSize
      guard Int(smallest[round][group]) == node else { break }
      smallest[round][group] = winner(of: group, round: round, in: smallest) { counts[$0] < counts[$1] }
    }
  }

  private mutating func replay(_ node: Int) {
    var group = node
    for round in largest.indices {
      group /= Self.groupSize
      largest[round][group] = winner(of: group, round: round, in: largest) { counts[$0] > counts[$1] }
      smallest[round][group] = winner(of: group, round: round, in: smallest) { counts[$0] < counts[$1] }
    }
  }

  @inline(__always)
  private func winner(of group: Int, round: Int, in rounds: [[Int32]], _ beats: (Int, Int) -> Bool) -> Int32 {
    let start = group * Self.groupSize
    let end = min(start + Self.groupSize, round == 0 ? counts.count : rounds[round - 1].count)
    func entrant(_ index: Int) -> Int { round == 0 ? index : Int(rounds[round - 1][index]) }
    var best = entrant(start)
    for index in start + 1..<max(end, start + 1) where beats(entrant(index), best) { best = entrant(index) }
    return Int32(best)
  }
}
