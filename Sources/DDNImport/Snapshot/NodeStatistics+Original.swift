import DDN

extension NodeStatistics {
  /// Beyond it a double counts no further, and long before it a training ends; sums of such counters are finite.
  private static let mostCounted = 1 << 53

  /// The counters of one of the original's layers.
  ///
  /// - Parameters:
  ///   - value: an object of `SplitableDiscreteDistribution`.
  ///   - name: of the object, for complaints.
  init(original value: PickleValue, in graph: PickleGraph, _ name: String) throws(ImportProblem) {
    let object = try graph.object(value, .nodeStatistics, name)
    let attributes = try graph.members(object.state, name, limit: 100)
    func find(_ key: String) throws(ImportProblem) -> PickleValue {
      guard let value = attributes[key] else { throw ImportProblem("\(name) has no \(key)") }
      return value
    }
    func check<Number: Numeric & Comparable>(_ number: Number, _ key: String) throws(ImportProblem) -> Number {
      guard number >= 0, number <= Number(exactly: Self.mostCounted)! else {
        throw ImportProblem("\(name).\(key) has the number \(number), which is not within 0...\(Self.mostCounted)")
      }
      return number
    }
    func count(_ key: String) throws(ImportProblem) -> Int {
      try check(graph.integer(find(key), "\(name).\(key)"), key)
    }
    func array(_ key: String) throws(ImportProblem) -> NumpyArray {
      try NumpyArray(find(key), in: graph, "\(name).\(key)")
    }
    func doubles(_ key: String, _ shape: [Int]) throws(ImportProblem) -> [Double] {
      try array(key).doubles(shape, "\(name).\(key)").map { (number) throws(ImportProblem) in try check(number, key) }
    }
    let nodes = try count("k")
    guard (2...1 << 16).contains(nodes) else { throw ImportProblem("\(name) has \(nodes) nodes") }
    var splitImages: [Int] = []
    for value in try graph.sequence(find("split_iters"), "\(name).split_iters") {
      splitImages.append(try check(graph.integer(value, "\(name).split_iters"), "split_iters"))
    }
    let newest = try count("idx_max")
    let lineage = try array("i_to_idx").integers([nodes], "\(name).i_to_idx")
    guard lineage.allSatisfy({ (0...newest).contains($0) }) else {
      throw ImportProblem("\(name).i_to_idx has a number that is not within 0...\(newest)")
    }
    self.init(
      counts: try doubles("count", [nodes]), rivalCounts: try doubles("near2", [nodes, nodes]),
      distanceSums: try doubles("loss_acc", [nodes]), images: try count("iter"), batches: try count("batchn"),
      lineage: lineage, newestLineage: newest, splitImages: splitImages)
  }
}
