import Foundation

/// All codes of a model: for each level its number of nodes, resolution and number of choices.
///
/// Source: paper, section 3.3: a tree of K^L leaves, L log2 K bits.
public struct CodeSpace: Hashable, Sendable {
  /// What is chosen at one level.
  public struct Level: Hashable, Sendable {
    /// K.
    public let nodes: Int
    /// Pixels on a side of the level's images.
    public let side: Int
    /// How many nodes the level chooses: 1, or one for each part of the image.
    public let choices: Int

    public init(nodes: Int, side: Int, choices: Int = 1) {
      precondition(nodes >= 1 && choices >= 1, "a level of \(nodes) nodes and \(choices) choices has no code")
      self.nodes = nodes
      self.side = side
      self.choices = choices
    }

    /// Information in the level's choices.
    public var bits: Double { Double(choices) * log2(Double(nodes)) }
  }

  /// From level 0.
  public let levels: [Level]
  /// `[L + 1]`, where each level's choices begin among all choices of a code, and their number.
  public let firstChoices: [Int]

  public init(_ levels: [Level]) {
    self.levels = levels
    firstChoices = levels.reduce(into: [0]) { $0.append($0.last! + $1.choices) }
  }

  /// Levels that all have the same number of nodes and one resolution.
  public init(nodes: Int, levels: Int, side: Int) {
    self.init(Array(repeating: Level(nodes: nodes, side: side), count: levels))
  }

  /// Information in a whole code.
  public var bits: Double { levels.reduce(0) { $0 + $1.bits } }

  /// The number of choices in a whole code.
  public var choiceCount: Int { firstChoices.last! }

  /// The most nodes of a level.
  public var maxNodes: Int { levels.map(\.nodes).max() ?? 0 }

  /// The number of levels that so many choices fill, from level 0; nil when they end within a level.
  func levelCount(choices: Int) -> Int? { firstChoices.firstIndex(of: choices) }

  /// - Throws: `LatentCodeError` when there are too many choices, when they end within a level, or when one is out of
  ///   range.
  public func validate(_ choices: [Int]) throws(LatentCodeError) {
    guard !choices.isEmpty, let count = levelCount(choices: choices.count) else {
      throw LatentCodeError("a code of \(choices.count) choices does not fit a model of \(summary)")
    }
    for (number, level) in levels.prefix(count).enumerated() {
      for choice in choices[firstChoices[number]..<firstChoices[number + 1]] where !(0..<level.nodes).contains(choice) {
        throw LatentCodeError("choice \(choice) at level \(number) is not within 0...\(level.nodes - 1)")
      }
    }
  }

  private var summary: String {
    "\(levels.count) levels" + (choiceCount == levels.count ? "" : " and \(choiceCount) choices")
  }

  /// Choices with dots between levels and dashes within one: "3.0.7", "3-1.0-2".
  func text(of choices: [Int]) -> String {
    (0..<(levelCount(choices: choices.count) ?? 0)).map { level in
      choices[firstChoices[level]..<firstChoices[level + 1]].map(String.init).joined(separator: "-")
    }.joined(separator: ".")
  }

  /// - Throws: `LatentCodeError` for anything but whole numbers with dots and dashes where `text(of:)` has them.
  func parse(_ text: String) throws(LatentCodeError) -> [Int] {
    var choices: [Int] = []
    for (number, level) in text.split(separator: ".", omittingEmptySubsequences: false).enumerated() {
      let parts = level.split(separator: "-", omittingEmptySubsequences: false)
      for part in parts {
        guard part.allSatisfy({ $0.isASCII && $0.isNumber }), let choice = Int(part) else {
          throw LatentCodeError("'\(text)' is not a code; write the choices with dots between, such as 3.0.7")
        }
        choices.append(choice)
      }
      guard levels.indices.contains(number) else { continue }  // `validate` says so.
      guard parts.count == levels[number].choices else {
        throw LatentCodeError("'\(level)' at level \(number) of '\(text)' is not \(levels[number].choices) choices")
      }
    }
    try validate(choices)
    return choices
  }
}
