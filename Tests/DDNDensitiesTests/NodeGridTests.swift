import Testing

@testable import DDNDensities

@Suite("NodeGrid") struct NodeGridTests {
  /// The two nearest nodes by comparing all distances.
  private static func scan<Measure: Distance>(
    _ positions: [SIMD2<Float>], _ point: SIMD2<Float>, by measure: Measure.Type
  ) -> NodeGrid<Measure>.NearestPair {
    let order = positions.indices.sorted {
      let (a, b) = (Measure.of(positions[$0] - point), Measure.of(positions[$1] - point))
      return a < b || (a == b && $0 < $1)
    }
    return .init(nearest: Int32(order[0]), second: order.count > 1 ? Int32(order[1]) : -1)
  }

  enum Layout: CaseIterable {
    case uniform, corner, line, twins, onePoint, cellEdges

    func place(_ node: Int, of nodes: Int, _ generator: inout SplitMix64) -> SIMD2<Float> {
      let random = generator.unitPoint() * 2 - 1
      return switch self {
      case .uniform: random
      case .corner: SIMD2(-0.99, 0.98) + random * 0.01
      case .line: SIMD2(random.x, 0.25)
      case .twins: SIMD2(Float(node / 2) / Float(nodes) * 2 - 1, Float(node / 2 % 7) / 7)
      case .onePoint: SIMD2(0.5, -0.5)
      case .cellEdges: (random * 8).rounded(.toNearestOrEven) / 8
      }
    }
  }

  private static func compare<Measure: Distance>(_ layout: Layout, nodes: Int, by measure: Measure.Type) {
    var generator = SplitMix64(seed: UInt64(nodes))
    var positions = (0..<nodes).map { layout.place($0, of: nodes, &generator) }
    let grid = NodeGrid<Measure>(positions, crowding: Double(1 + nodes % 3))
    for round in 0..<40 {
      let point = round % 4 == 0 ? positions[round % nodes] : generator.unitPoint() * 2 - 1
      #expect(grid.nearestPair(to: point) == scan(positions, point, by: measure), "\(layout), \(nodes) nodes")
      // Move some nodes, within their cell and far from it.
      for _ in 0..<5 {
        let node = Int(generator.next() % UInt64(nodes))
        let goal =
          generator.next() % 2 == 0 ? generator.unitPoint() * 2 - 1 : positions[Int(generator.next() % UInt64(nodes))]
        positions[node] += (goal - positions[node]) * (generator.next() % 2 == 0 ? 0.01 : 1)
        grid.move(Int32(node), to: positions[node])
      }
    }
    #expect(grid.positions == positions)
  }

  @Test(
    "the result equals a full scan, ties included, for any layout and after moves", arguments: Layout.allCases,
    [1, 2, 3, 4, 5, 17, 100, 1000, 5000])
  func exact(layout: Layout, nodes: Int) {
    Self.compare(layout, nodes: nodes, by: Manhattan.self)
    Self.compare(layout, nodes: nodes, by: SquaredEuclidean.self)
  }

  @Test("nodes on the square's edges and corners are found from any point")
  func edges() {
    let corners: [SIMD2<Float>] = [[-1, -1], [1, -1], [-1, 1], [1, 1], [0, 1], [-1, 0]]
    let grid = NodeGrid<SquaredEuclidean>(corners, crowding: 50)
    var generator = SplitMix64(seed: 1)
    for _ in 0..<200 {
      let point = generator.unitPoint() * 2 - 1
      #expect(grid.nearestPair(to: point) == Self.scan(corners, point, by: SquaredEuclidean.self))
    }
  }
}
