import DDN
import DDNTrees
import Torch

/// Finds the ten codes with the longest prefix in common with a query, among a million random codes like `cifar10`'s.
public struct SearchWork: Encodable, Sendable {
  public enum Method: String, Encodable, Sendable {
    case index
    /// Compares the query with every code, each an array of numbers.
    case scan
  }

  public let method: Method
  public let codes = 1_000_000
  /// Codes to find.
  public let count = 10

  init(_ method: Method) { self.method = method }

  var name: String { "search \(codes) codes, \(method.rawValue)" }

  private static let classes = 10
  private static let space = CodeSpace(nodes: 64, levels: 31, side: 32)

  func prepare() -> PreparedRow {
    let table = PathTable(seeds: (0..<UInt64(codes)), in: Self.space, classes: Self.classes)
    let find: ([Int]) -> [Int]
    switch method {
    case .index:
      let index = CodeIndex(table)
      find = { index.nearest(to: $0, count: count).map(\.row) }
    case .scan:
      let paths = (0..<table.count).map { row in (0..<table.steps).map { table.step($0, of: row) } }
      find = { Self.scan(paths, for: $0, count: count) }
    }
    var next = 0
    func query() -> [Int] {
      next += 1
      let seed = UInt64(codes + next)
      return [Int(seed) % Self.classes] + LatentCode(seed: seed, in: Self.space).choices
    }
    let first = query()
    return PreparedRow(
      makeCase: { ["expected.rows": try Tensor(find(first), shape: [count])] }, run: { _ = find(query()) })
  }

  private static func scan(_ paths: [[Int]], for query: [Int], count: Int) -> [Int] {
    var best: [(common: Int, row: Int)] = []
    for (row, path) in paths.enumerated() {
      var common = 0
      while common < query.count, path[common] == query[common] { common += 1 }
      if best.count == count, best[count - 1].common >= common { continue }
      if best.count == count { best.removeLast() }
      best.insert((common, row), at: best.firstIndex { $0.common < common } ?? best.count)
    }
    return best.map(\.row)
  }
}
