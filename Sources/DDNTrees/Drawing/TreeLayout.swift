import DDN

/// Where the images of a tree are, in whole pixels.
public struct TreeLayout: Sendable {
  public struct Rectangle: Sendable, Equatable {
    public let x: Int
    public let y: Int
    public let side: Int
  }

  /// The nodes of one depth that have children.
  public struct Inner: Sendable {
    public let grid: TreeGrid
    /// Of the node with its subtree.
    public let side: Int
    /// Width of the border.
    public let line: Int
    /// Between border and children, and between children.
    public let gap: Int
    /// Of a child.
    public let cell: Int

    /// A child's place within its parent.
    func child(_ number: Int, in parent: Rectangle) -> Rectangle {
      let place = grid.cells[number]
      return Rectangle(x: parent.x + offset(place.column), y: parent.y + offset(place.row), side: cell)
    }

    /// The own image's place with its border.
    func own(in parent: Rectangle) -> Rectangle {
      Rectangle(
        x: parent.x + offset(grid.ownStart), y: parent.y + offset(grid.ownStart),
        side: grid.own * cell + (grid.own - 1) * gap)
    }

    private func offset(_ cells: Int) -> Int { line + gap + cells * (cell + gap) }
  }

  /// By depth from the root.
  public let inner: [Inner]
  /// Pixels on a side of a leaf.
  public let leafSide: Int
  /// Pixels on a side of the picture.
  public let side: Int
  /// Levels below the root.
  public var levels: Int { inner.count }

  /// The smallest leaf that one can make out.
  public static let smallestLeaf = 6

  /// The layout whose leaves have `leafSide` pixels on a side.
  ///
  /// - Parameters:
  ///   - nodes: K of each level, from the root's children on; at least one level.
  ///   - leafSide: in pixels, at least 1.
  public init(nodes: [Int], leafSide: Int) {
    precondition(!nodes.isEmpty && leafSide >= 1, "a tree has levels, and leaves have pixels")
    self.leafSide = leafSide
    var inner: [Inner] = []
    var cell = leafSide
    for (height, count) in nodes.reversed().enumerated() {
      let grid = TreeGrid(nodes: count)
      // Coarser levels have wider borders.
      let (line, gap) = (height + (leafSide >= 12 ? 2 : 1), 1 + height)
      let side = grid.side * (cell + gap) + gap + 2 * line
      inner.append(Inner(grid: grid, side: side, line: line, gap: gap, cell: cell))
      cell = side
    }
    self.inner = inner.reversed()
    side = cell
  }

  /// The largest layout of at most `size` pixels, with as many levels as can be made out.
  ///
  /// - Parameters:
  ///   - nodes: K of each level, from the root's children on; at least one level.
  ///   - size: pixels on a side, at most.
  public init(nodes: [Int], size: Int) {
    func shown(_ levels: Int) -> [Int] { Array(nodes.prefix(levels)) }
    var levels = 1
    while levels < nodes.count, Self(nodes: shown(levels + 1), leafSide: Self.smallestLeaf).side <= size { levels += 1 }
    var leaf = 1
    while Self(nodes: shown(levels), leafSide: leaf + 1).side <= size { leaf += 1 }
    self.init(nodes: shown(levels), leafSide: leaf)
  }
}
