import DDNFiles
import Foundation

/// All codes of a model: each level's number of nodes and resolution.
///
/// Source: paper, section 3.3: a tree of K^L leaves, L log2 K bits.
public struct CodeSpace: Hashable, Sendable {
  /// What is chosen at one level.
  public struct Level: Hashable, Sendable {
    /// K.
    public let nodes: Int
    /// Pixels on a side of the level's images.
    public let side: Int

    public init(nodes: Int, side: Int) {
      precondition(nodes >= 1, "a level of \(nodes) nodes has no code")
      self.nodes = nodes
      self.side = side
    }

    /// Information in the level's choice.
    public var bits: Double { log2(Double(nodes)) }
  }

  /// From level 0.
  public let levels: [Level]

  public init(_ levels: [Level]) { self.levels = levels }

  /// Levels that all have the same number of nodes and one resolution.
  public init(nodes: Int, levels: Int, side: Int) {
    self.init(Array(repeating: Level(nodes: nodes, side: side), count: levels))
  }

  /// Information in a whole code.
  public var bits: Double { levels.reduce(0) { $0 + $1.bits } }

  /// The most nodes of a level.
  public var maxNodes: Int { levels.map(\.nodes).max() ?? 0 }

  /// - Throws: `LatentCodeError` when there are no or too many choices, or when one is out of range.
  public func validate(_ choices: [Int]) throws(LatentCodeError) {
    guard !choices.isEmpty, choices.count <= levels.count else {
      throw LatentCodeError("a code of \(choices.count) choices does not fit a model of \(levels.count) levels")
    }
    for (number, (choice, level)) in zip(choices, levels).enumerated() where !(0..<level.nodes).contains(choice) {
      throw LatentCodeError("choice \(choice) at level \(number + 1) is not within 0...\(level.nodes - 1)")
    }
  }

  /// - Throws: `LatentCodeError` for anything but whole numbers with dots between, such as "3.0.7".
  func parse(_ text: String) throws(LatentCodeError) -> [Int] {
    var choices: [Int] = []
    for part in text.split(separator: ".", omittingEmptySubsequences: false) {
      guard part.allSatisfy({ $0.isASCII && $0.isNumber }), let choice = Int(part) else {
        throw LatentCodeError("\(quoted(text)) is not a code; write the choices with dots between, such as 3.0.7")
      }
      choices.append(choice)
    }
    try validate(choices)
    return choices
  }
}
