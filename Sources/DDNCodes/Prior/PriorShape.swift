import DDN

/// Size of an `IntegerPrior`.
public struct PriorShape: Codable, Sendable, Equatable {
  /// K of each choice of a code, in order.
  public let nodes: [Int]
  /// Of the model; 0 for none.
  public let classes: Int
  /// D, units that sum the embeddings of earlier choices.
  public let width: Int
  /// H, units of the hidden layer.
  public let hidden: Int

  /// - Parameters:
  ///   - space: of the codes.
  ///   - classes: of the model; 0 for none.
  ///   - width: D, 1 to 1000.
  ///   - hidden: H, 1 to 1000.
  public init(space: CodeSpace, classes: Int, width: Int, hidden: Int) {
    nodes = space.levels.map(\.nodes)
    self.classes = classes
    self.width = width
    self.hidden = hidden
  }

  /// The first row of each choice's nodes in tables of all nodes, and the number of rows.
  var firstRows: [Int] { nodes.reduce(into: [0]) { $0.append($0.last! + $1) } }

  /// Products of 1000 weights and activations of 7 bits sum to less than 2^24, so that float32 adds them exactly.
  static let unitLimit = 1...1000
  private static let rowLimit = 1 << 22

  /// - Throws: `PriorError` naming the first impossible value.
  public func validate() throws(PriorError) {
    if let validationError { throw PriorError(validationError) }
  }

  private var validationError: String? {
    if nodes.isEmpty || !nodes.allSatisfy({ (1...1 << 16).contains($0) }) {
      return "a code needs choices of 1 to 65536 nodes each"
    }
    if nodes.reduce(0, +) > Self.rowLimit { return "all choices together have more than \(Self.rowLimit) nodes" }
    if !(0...100_000).contains(classes) { return "the number of classes must be within 0...100000, not \(classes)" }
    for (name, units) in [("width", width), ("hidden", hidden)] where !Self.unitLimit.contains(units) {
      return "\(name) must be within \(Self.unitLimit.lowerBound)...\(Self.unitLimit.upperBound), not \(units)"
    }
    return nil
  }

  /// Shape and type of each tensor in a file, by name.
  var tensors: [String: (shape: [Int], bytes: Int)] {
    let rows = nodes.reduce(0, +)
    return [
      "initial": ([max(classes, 1), width], 1), "embeddings": ([rows, width], 1),
      "hidden.weight": ([hidden, width], 1), "hidden.bias": ([nodes.count, hidden], 4),
      "heads.weight": ([rows, hidden], 1), "heads.bias": ([rows], 4),
    ]
  }
}

/// A prior's options or inputs are invalid, or its training diverged; one line.
public struct PriorError: Error, Equatable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
