import CPrefetch

/// A uniform grid over the square [-1, 1] x [-1, 1] for exact search of a point's two nearest nodes.
///
/// A cell holds up to four nodes in a block of 64 bytes, one cache line; crowded cells chain further blocks. A search
/// visits the cells around the point, ring by ring, until no node outside can be nearer.
final class NodeGrid<Measure: Distance> {
  /// Four slots for nodes; empty ones, from `count` on, are infinitely far away.
  private struct Block {
    var xs = SIMD4<Float>(repeating: .infinity)
    var ys = SIMD4<Float>(repeating: 0)
    var nodes = SIMD4<Int32>(repeating: -1)
    /// The next block of the same cell, or -1.
    var next: Int32 = -1
    var count: Int32 = 0
  }

  /// The two nodes nearest to a point; ties go to the lower index.
  struct NearestPair: Equatable {
    var nearest: Int32
    /// -1 when there is only one node.
    var second: Int32
  }

  /// K.
  let nodes: Int
  /// Cells per side.
  private let side: Int
  private let cellsPerUnit: Float
  /// `[side * side]` first blocks of the cells, then chained blocks.
  private let blocks: UnsafeMutablePointer<Block>
  /// `[K]`, 4 * block + lane.
  private let places: UnsafeMutablePointer<Int32>
  /// Unused chained blocks.
  private var free: [Int32]

  /// - Parameters:
  ///   - positions: at least one, all within the square.
  ///   - crowding: expected density of nodes around a node, relative to uniform; affects speed only.
  init(_ positions: [SIMD2<Float>], crowding: Double) {
    nodes = positions.count
    // 1.5 nodes per crowded cell, within a memory limit.
    let cells = min(Double(nodes) * crowding / 1.5, 2 * Double(nodes) + 64)
    side = max(1, Int(cells.squareRoot()))
    cellsPerUnit = Float(side) / 2
    // All chained blocks are full but the last of each cell, and a cell with a chained block has at least five nodes.
    let chained = nodes / 4 + nodes / 5 + 1
    let count = side * side + chained
    blocks = .allocate(capacity: count)
    blocks.initialize(repeating: Block(), count: count)
    places = .allocate(capacity: nodes)
    places.initialize(repeating: 0, count: nodes)
    free = (side * side..<count).reversed().map { Int32($0) }
    for (node, position) in positions.enumerated() { insert(Int32(node), position) }
  }

  deinit {
    blocks.deallocate()
    places.deallocate()
  }

  /// A node's position.
  @inline(__always)
  subscript(node: Int32) -> SIMD2<Float> {
    let (block, lane) = (Int(places[Int(node)] >> 2), Int(places[Int(node)] & 3))
    return SIMD2(blocks[block].xs[lane], blocks[block].ys[lane])
  }

  /// `[K]`.
  var positions: [SIMD2<Float>] { (0..<Int32(nodes)).map { self[$0] } }

  /// Moves a node to a position within the square.
  @inline(__always)
  func move(_ node: Int32, to position: SIMD2<Float>) {
    let place = places[Int(node)]
    let (block, lane) = (Int(place >> 2), Int(place & 3))
    let old = SIMD2(blocks[block].xs[lane], blocks[block].ys[lane])
    if cell(of: old) == cell(of: position) {
      blocks[block].xs[lane] = position.x
      blocks[block].ys[lane] = position.y
    } else {
      remove(node, from: cell(of: old))
      insert(node, position)
    }
  }

  @inline(__always)
  private func column(_ coordinate: Float) -> Int { min(max(Int((coordinate + 1) * cellsPerUnit), 0), side - 1) }

  @inline(__always)
  private func cell(of position: SIMD2<Float>) -> Int { column(position.y) * side + column(position.x) }

  private func insert(_ node: Int32, _ position: SIMD2<Float>) {
    var block = cell(of: position)
    while blocks[block].count == 4 {
      if blocks[block].next < 0 { blocks[block].next = free.removeLast() }
      block = Int(blocks[block].next)
    }
    let lane = Int(blocks[block].count)
    blocks[block].xs[lane] = position.x
    blocks[block].ys[lane] = position.y
    blocks[block].nodes[lane] = node
    blocks[block].count += 1
    places[Int(node)] = Int32(block * 4 + lane)
  }

  /// Removes a node; the cell's last node moves to its slot.
  private func remove(_ node: Int32, from cell: Int) {
    var (last, previous) = (cell, -1)
    while blocks[last].next >= 0 { (last, previous) = (Int(blocks[last].next), last) }
    let end = Int(blocks[last].count) - 1
    let (block, lane) = (Int(places[Int(node)] >> 2), Int(places[Int(node)] & 3))
    let moved = blocks[last].nodes[end]
    blocks[block].xs[lane] = blocks[last].xs[end]
    blocks[block].ys[lane] = blocks[last].ys[end]
    blocks[block].nodes[lane] = moved
    places[Int(moved)] = places[Int(node)]
    blocks[last].xs[end] = .infinity
    blocks[last].nodes[end] = -1
    blocks[last].count -= 1
    if end == 0 && previous >= 0 {
      blocks[previous].next = -1
      free.append(Int32(last))
    }
  }

  /// Prefetches what `nearestPair` reads: with many nodes, memory latency dominates.
  @inline(__always)
  func prefetch(around point: SIMD2<Float>) {
    let (x, y) = (column(point.x), column(point.y))
    for row in max(y - 1, 0)...min(y + 1, side - 1) {
      for column in max(x - 1, 0)...min(x + 1, side - 1) { CPrefetch.prefetch(blocks + (row * side + column)) }
    }
  }

  /// The two nodes nearest to a point of the square.
  @inline(__always)
  func nearestPair(to point: SIMD2<Float>) -> NearestPair {
    let (x, y) = (column(point.x), column(point.y))
    var best = NearestTwo()
    var (left, right) = (max(x - 1, 0), min(x + 1, side - 1))
    var (top, bottom) = (max(y - 1, 0), min(y + 1, side - 1))
    for row in top...bottom { visit(row: row, left...right, point, &best) }
    while true {
      // Usually true at once: the two nodes are nearer than the second ring, or all cells were visited.
      let outside = outsideDistance(point, left, right, top, bottom)
      if best.secondDistance < outside || outside == .infinity { break }
      (left, right) = (max(left - 1, 0), min(right + 1, side - 1))
      (top, bottom) = (max(top - 1, 0), min(bottom + 1, side - 1))
      visitRing(left, right, top, bottom, around: (x, y), point, &best)
    }
    return NearestPair(nearest: NearestTwo.node(best.first), second: NearestTwo.node(best.second))
  }

  /// A lower bound on the distance of nodes outside these columns and rows of cells.
  @inline(__always)
  private func outsideDistance(_ point: SIMD2<Float>, _ left: Int, _ right: Int, _ top: Int, _ bottom: Int) -> Float {
    var gap = Float.infinity
    let width = 1 / cellsPerUnit
    if left > 0 { gap = min(gap, point.x + 1 - Float(left) * width) }
    if right < side - 1 { gap = min(gap, Float(right + 1) * width - 1 - point.x) }
    if top > 0 { gap = min(gap, point.y + 1 - Float(top) * width) }
    if bottom < side - 1 { gap = min(gap, Float(bottom + 1) * width - 1 - point.y) }
    // Rounding may put a node slightly outside its cell.
    return gap == .infinity ? .infinity : Measure.least(gap: max(gap - 1e-6, 0))
  }

  /// Visits the outermost of these columns and rows, unless they were clamped at the square's edge and visited before.
  private func visitRing(
    _ left: Int, _ right: Int, _ top: Int, _ bottom: Int, around centre: (x: Int, y: Int), _ point: SIMD2<Float>,
    _ best: inout NearestTwo
  ) {
    let ring = max(max(centre.x - left, right - centre.x), max(centre.y - top, bottom - centre.y))
    for row in top...bottom {
      if abs(row - centre.y) == ring {
        visit(row: row, left...right, point, &best)
      } else {
        if centre.x - left == ring { visit(row: row, left...left, point, &best) }
        if right - centre.x == ring { visit(row: row, right...right, point, &best) }
      }
    }
  }

  @inline(__always)
  private func visit(row: Int, _ columns: ClosedRange<Int>, _ point: SIMD2<Float>, _ best: inout NearestTwo) {
    let (px, py) = (SIMD4(repeating: point.x), SIMD4(repeating: point.y))
    var cell = row * side + columns.lowerBound
    let end = row * side + columns.upperBound
    while cell <= end {
      var block = cell
      repeat {
        let distances = Measure.of(blocks[block].xs - px, blocks[block].ys - py)
        let threshold = best.secondDistance
        if distances[0] <= threshold { best.insert(distances[0], blocks[block].nodes[0]) }
        if distances[1] <= threshold { best.insert(distances[1], blocks[block].nodes[1]) }
        if distances[2] <= threshold { best.insert(distances[2], blocks[block].nodes[2]) }
        if distances[3] <= threshold { best.insert(distances[3], blocks[block].nodes[3]) }
        block = Int(blocks[block].next)
      } while block >= 0
      cell += 1
    }
  }
}

/// The two nearest nodes so far, as integer keys: distance in the high bits, node in the low ones.
private struct NearestTwo {
  var first = NearestTwo.none
  var second = NearestTwo.none
  var secondDistance = Float.infinity

  static let none = UInt64(Float.infinity.bitPattern) << 32

  @inline(__always)
  mutating func insert(_ distance: Float, _ node: Int32) {
    let key = UInt64(distance.bitPattern) << 32 | UInt64(UInt32(bitPattern: node))
    guard key < second else { return }
    second = max(first, key)
    first = min(first, key)
    secondDistance = Float(bitPattern: UInt32(second >> 32))
  }

  static func node(_ key: UInt64) -> Int32 {
    key == none ? -1 : Int32(truncatingIfNeeded: key)
  }
}
