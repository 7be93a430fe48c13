/// How a node's children surround its own image: the cells of a square.
///
/// | K | side | own image |
/// |---|---|---|
/// | 1 to 3 | 2 | 1 cell, top left |
/// | 8 | 3 | 1 cell |
/// | 12 | 4 | 2 x 2 cells |
/// | 16 | 5 | 3 x 3 cells |
/// | 64 | 9 | 3 x 3 cells |
public struct TreeGrid: Sendable, Equatable {
  /// Cells on a side.
  public let side: Int
  /// Cells on a side of the node's own image.
  public let own: Int
  /// Column and row of the own image's first cell.
  public let ownStart: Int
  /// `[K]`, each child's column and row, in reading order.
  public let cells: [Cell]

  public struct Cell: Sendable, Equatable {
    public let column: Int
    public let row: Int
  }

  /// The smallest square for `nodes` children, with the largest own image in its middle that fits.
  ///
  /// - Parameter nodes: at least 1.
  public init(nodes: Int) {
    precondition(nodes >= 1, "\(nodes) children are fewer than 1")
    var side = 2
    var own = 1
    if nodes > 3 {
      // The own image has the parity of the side, to be in the middle.
      func largest(_ side: Int) -> Int? {
        stride(from: side - 2, through: 1, by: -2).first { side * side - $0 * $0 >= nodes }
      }
      side = 3
      while largest(side) == nil { side += 1 }
      own = largest(side)!
    }
    self.side = side
    self.own = own
    let first = nodes > 3 ? (side - own) / 2 : 0
    ownStart = first
    let inside = first..<first + own
    let free = (0..<side * side).map { Cell(column: $0 % side, row: $0 / side) }
      .filter { !(inside.contains($0.column) && inside.contains($0.row)) }
    // Of more cells than children, those nearest to the middle.
    func distance(_ cell: Cell) -> Int {
      let (x, y) = (2 * cell.column - side + 1, 2 * cell.row - side + 1)
      return x * x + y * y
    }
    let nearest = free.indices.sorted { (distance(free[$0]), $0) < (distance(free[$1]), $1) }.prefix(nodes)
    cells = nearest.sorted().map { free[$0] }
  }
}
