import Testing

@testable import DDNDensities

@Suite("RivalMatrix") struct RivalMatrixTests {
  @Test("it equals a dense matrix after any operations", arguments: [2, 5, 40])
  func equalsDense(size: Int) {
    var matrix = RivalMatrix(size: size)
    var table = [[Double]](repeating: [Double](repeating: 0, count: size), count: size)
    var generator = SplitMix64(seed: UInt64(size))
    func random() -> Int { Int(generator.next() % UInt64(size)) }
    for round in 0..<3000 {
      let (row, column) = (random(), random())
      switch round % 50 {
      case 10:
        matrix.clear(row: row)
        table[row] = [Double](repeating: 0, count: size)
      case 20:
        matrix.clear(column: column)
        for index in 0..<size { table[index][column] = 0 }
      case 30:
        matrix.clear(row: row, column: column)
        table[row][column] = 0
      case 40:
        matrix.scale(row: row, by: 0.5)
        table[row] = table[row].map { $0 / 2 }
      case 45:
        let others = [
          RivalMatrix.Entry(column: Int32(column), value: 1), .init(column: Int32((column + 1) % size), value: 2),
        ]
        matrix.add(others, times: 3, row: row)
        table[row][column] += 3
        table[row][(column + 1) % size] += 6
      default:
        matrix.add(Double(round), row: row, column: column)
        table[row][column] += Double(round)
      }
    }
    for row in 0..<size {
      for column in 0..<size { #expect(matrix[row, column] == table[row][column]) }
      #expect(abs(matrix.sum(row: row) - table[row].reduce(0, +)) <= 1e-9 * table[row].reduce(1, +))
    }
    #expect(matrix.brokenInvariant() == nil)
  }
}
