import DDN
import Foundation

/// Codes in the order of the tree's leaves: a subtree is a range of them.
public struct CodeIndex: Sendable {
  /// A code near a query.
  public struct Match: Sendable, Equatable {
    /// The row in the table that the index was made of.
    public let row: Int
    /// Steps that the code shares with the query: levels, and the class of a class-conditional model.
    public let commonSteps: Int
  }

  /// The codes in the order of leaves.
  let sorted: PathTable
  /// `[count]`, each sorted code's row in the original table.
  private let rows: [Int32]
  /// `[count]`, where each row of the original table is among the sorted codes.
  private let places: [Int32]

  /// Sorts the codes; equal codes keep their order.
  ///
  /// - Parameter codes: fewer than 2^31; sorted in place where the caller gives them up with `consume`.
  public init(_ codes: consuming PathTable) {
    let (width, count) = (codes.rowBytes, codes.count)
    precondition(count < Int(Int32.max), "\(count) codes are too many for an index")
    var rows = Array(0..<Int32(count))
    codes.bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      rows.sort { left, right in
        let order = memcmp(base + Int(left) * width, base + Int(right) * width, width)
        return order == 0 ? left < right : order < 0
      }
    }
    codes.permute(rows)
    sorted = codes
    var places = [Int32](repeating: 0, count: count)
    for (place, row) in rows.enumerated() { places[Int(row)] = Int32(place) }
    (self.rows, self.places) = (rows, places)
  }

  /// The code of a row of the original table, and its class.
  public func entry(_ row: Int) -> CodeList.Entry { sorted.entry(Int(places[row])) }

  public var count: Int { rows.count }

  /// The row of a sorted code in the original table.
  public func row(_ place: Int) -> Int { Int(rows[place]) }

  /// The codes of a subtree that begin with one more step.
  ///
  /// - Parameters:
  ///   - range: the subtree's codes, in the order of leaves.
  ///   - depth: its steps.
  ///   - step: the next step.
  /// - Returns: the range of codes; empty when there is none.
  func range(in range: Range<Int>, depth: Int, step: Int) -> Range<Int> {
    let start = firstPlace(in: range, depth: depth, from: step)
    return start..<firstPlace(in: start..<range.upperBound, depth: depth, from: step + 1)
  }

  /// The occupied children of a subtree, in order.
  ///
  /// - Parameters:
  ///   - range: the subtree's codes, in the order of leaves.
  ///   - depth: its steps.
  /// - Returns: each child's step and codes.
  func children(in range: Range<Int>, depth: Int) -> [(step: Int, range: Range<Int>)] {
    var children: [(step: Int, range: Range<Int>)] = []
    var start = range.lowerBound
    while start < range.upperBound {
      let step = sorted.step(depth, of: start)
      let end = firstPlace(in: start..<range.upperBound, depth: depth, from: step + 1)
      children.append((step, start..<end))
      start = end
    }
    return children
  }

  /// The first place in a subtree whose step at `depth` is at least `step`.
  private func firstPlace(in range: Range<Int>, depth: Int, from step: Int) -> Int {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high {
      let middle = (low + high) / 2
      if sorted.step(depth, of: middle) < step { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The codes with the longest common prefix, ties in the order of the original table.
  ///
  /// - Parameters:
  ///   - path: the query's steps: its class, if the model has classes, and its choices; may be partial.
  ///   - count: number of matches, at most.
  /// - Returns: the longest prefix first.
  public func nearest(to path: [Int], count: Int) -> [Match] {
    precondition(path.count <= sorted.steps, "a path of \(path.count) steps is longer than a code")
    var ranges = [0..<self.count]
    for (depth, step) in path.enumerated() {
      let next = range(in: ranges[depth], depth: depth, step: step)
      if next.isEmpty { break }
      ranges.append(next)
    }
    var matches: [Match] = []
    var inner = ranges.last!.lowerBound..<ranges.last!.lowerBound
    for (depth, range) in ranges.enumerated().reversed() {
      guard matches.count < count else { break }
      let first = firstRows(
        [range.lowerBound..<inner.lowerBound, inner.upperBound..<range.upperBound], count: count - matches.count)
      matches += first.map { Match(row: Int($0), commonSteps: depth) }
      inner = range
    }
    return matches
  }

  /// The lowest rows of some places, ascending.
  private func firstRows(_ places: [Range<Int>], count: Int) -> [Int32] {
    var best: [Int32] = []
    rows.withUnsafeBufferPointer { rows in
      for range in places {
        for place in range {
          let row = rows[place]
          if best.count == count {
            if row >= best[count - 1] { continue }
            best.removeLast()
          }
          best.insert(row, at: best.firstIndex { $0 > row } ?? best.count)
        }
      }
    }
    return best
  }
}
