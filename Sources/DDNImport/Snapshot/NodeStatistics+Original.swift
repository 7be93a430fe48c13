import DDN

extension NodeStatistics {
  /// Doubles count exactly up to here.
  private static let maxCount = 1 << 53

  /// The counters of an original layer.
  ///
  /// - Parameters:
  ///   - value: an object of `SplitableDiscreteDistribution`.
  ///   - name: of the object, for error messages.
  init(original value: PickleValue, in graph: PickleGraph, _ name: String) throws(ImportError) {
    let object = try graph.object(value, .nodeStatistics, name)
    let attributes = try graph.members(object.state, name, limit: 100)
    func find(_ key: String) throws(ImportError) -> PickleValue {
      guard let value = attributes[key] else { throw ImportError("\(name) has no \(key)") }
      return value
    }
    func check<Number: Numeric & Comparable>(_ number: Number, _ key: String) throws(ImportError) -> Number {
      guard number >= 0, number <= Number(exactly: Self.maxCount)! else {
        throw ImportError("\(name).\(key) has the value \(number), not within 0...\(Self.maxCount)")
      }
      return number
    }
    func count(_ key: String) throws(ImportError) -> Int {
      try check(graph.integer(find(key), "\(name).\(key)"), key)
    }
    func array(_ key: String) throws(ImportError) -> NumpyArray {
      try NumpyArray(find(key), in: graph, "\(name).\(key)")
    }
    func doubles(_ key: String, _ shape: [Int]) throws(ImportError) -> [Double] {
      try array(key).doubles(shape, "\(name).\(key)").map { (number) throws(ImportError) in try check(number, key) }
    }
    let nodes = try count("k")
    guard (2...1 << 16).contains(nodes) else { throw ImportError("\(name) has \(nodes) nodes") }
    var splitImages: [Int] = []
    for value in try graph.sequence(find("split_iters"), "\(name).split_iters") {
      splitImages.append(try check(graph.integer(value, "\(name).split_iters"), "split_iters"))
    }
    let newest = try count("idx_max")
    let lineage = try array("i_to_idx").integers([nodes], "\(name).i_to_idx")
    guard lineage.allSatisfy({ (0...newest).contains($0) }) else {
      throw ImportError("\(name).i_to_idx has a value that is not within 0...\(newest)")
    }
    self.init(
      counts: try doubles("count", [nodes]), rivalCounts: try doubles("near2", [nodes, nodes]),
      distanceSums: try doubles("loss_acc", [nodes]), images: try count("iter"), batches: try count("batchn"),
      lineage: lineage, newestLineage: newest, splitImages: splitImages)
  }
}
