/// The statistics that `SplitPolicy` decides by.
public protocol NodeUse {
  /// K.
  var nodes: Int { get }
  /// Images recorded so far.
  var images: Int { get }
  /// The sum of all counts.
  var total: Double { get }
  /// The first node with the largest count.
  var busiest: (node: Int, count: Double) { get }
  /// The first node with the smallest count.
  var rarest: (node: Int, count: Double) { get }
  /// The first node with the largest distance sum among those with count 0; there must be one.
  var farthestUnused: Int { get }
}

extension NodeStatistics: NodeUse {
  public var busiest: (node: Int, count: Double) {
    let count = counts.max()!
    return (counts.firstIndex(of: count)!, count)
  }

  public var rarest: (node: Int, count: Double) {
    let count = counts.min()!
    return (counts.firstIndex(of: count)!, count)
  }

  public var farthestUnused: Int {
    let unused = counts.indices.filter { counts[$0] == 0 }
    var farthest = unused[0]
    for node in unused where distanceSums[node] > distanceSums[farthest] { farthest = node }
    return farthest
  }
}
