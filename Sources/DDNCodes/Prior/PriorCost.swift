import DDN
import Foundation

extension IntegerPrior {
  private static let costBatch = 2048

  /// The bits that each choice of codes takes on average: `[choices]`.
  ///
  /// - Parameters:
  ///   - codes: at least one, complete, of the prior's space; with classes if the model has classes.
  ///   - progress: called with the number of codes done; false stops, and the means are of the codes so far.
  /// - Throws: `PriorError` when the codes or classes do not fit; `TorchError`.
  public func bits(of codes: CodeTable, progress: (Int) -> Bool = { _ in true }) throws -> [Double] {
    try shape.check(codes)
    var sums = [Double](repeating: 0, count: shape.nodes.count)
    var done = 0
    while done < codes.count {
      let range = done..<min(done + Self.costBatch, codes.count)
      var prediction = try predict(count: range.count, classes: codes.classes.map { Array($0[range]) })
      for (position, nodes) in shape.nodes.enumerated() {
        let frequencies = try prediction.frequencies()
        let choices = range.map { Int(codes.choices[position * codes.count + $0]) }
        for (number, choice) in choices.enumerated() {
          let row = frequencies[number * nodes..<(number + 1) * nodes]
          let total = row.reduce(UInt64(0)) { $0 + UInt64($1) }
          sums[position] += log2(Double(total) / Double(row[row.startIndex + choice]))
        }
        try prediction.advance(choices)
      }
      done = range.upperBound
      guard progress(done) else { break }
    }
    return sums.map { $0 / Double(done) }
  }
}

extension PriorShape {
  /// - Throws: `PriorError` unless the codes are complete and of this shape, with classes if it has classes.
  func check(_ codes: CodeTable) throws(PriorError) {
    guard codes.count > 0 else { throw PriorError("there are no codes") }
    guard PriorShape(space: codes.space, classes: 0, width: 1, hidden: 1).nodes == nodes else {
      throw PriorError("the codes are of another model")
    }
    guard codes.levelCounts == nil else { throw PriorError("some codes are not complete") }
    guard classes == 0 || codes.classes != nil else {
      throw PriorError("the model has classes, and the codes have none")
    }
  }
}
