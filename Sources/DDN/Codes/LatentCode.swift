import Torch

/// The nodes chosen at each level: an image's leaf in the tree, from which the model decodes it.
///
/// A code may end after any level; a partial code denotes a subtree.
/// Source: paper, section 3.3.
public struct LatentCode: Sendable, CustomStringConvertible {
  /// The space that the code belongs to.
  public let space: CodeSpace
  /// The chosen nodes from level 0.
  public let choices: [Int]

  /// - Throws: `LatentCodeError` when there are too many choices or one is out of its level's range.
  public init(_ choices: [Int], in space: CodeSpace) throws(LatentCodeError) {
    try space.validate(choices)
    self.space = space
    self.choices = choices
  }

  /// A code of choices that are known to fit.
  package init(unchecked choices: [Int], in space: CodeSpace) {
    self.space = space
    self.choices = choices
  }

  /// Parses a `description`: choices from level 0, separated by dots, such as "3.0.7".
  ///
  /// - Throws: `LatentCodeError` when the text is not a code or does not fit the space.
  public init(parsing text: String, in space: CodeSpace) throws(LatentCodeError) {
    choices = try space.parse(text)
    self.space = space
  }

  /// The code of a seed: every choice is uniform over its level's nodes, and the same on every machine.
  ///
  /// Equals the original program's codes: choice l uses number l of `torch.rand` on a CPU, which reads the seed's low
  /// 32 bits.
  public init(seed: UInt64, in space: CodeSpace) {
    var generator = MersenneTwister(seed: seed)
    choices = space.levels.map { min(Int(Float($0.nodes) * generator.uniform()), $0.nodes - 1) }
    self.space = space
  }

  /// The first levels of the code.
  ///
  /// - Parameter levels: at least 1; all levels if there are fewer.
  public func prefix(_ levels: Int) -> LatentCode {
    precondition(levels >= 1, "a code has at least one level")
    return LatentCode(unchecked: Array(choices.prefix(levels)), in: space)
  }

  /// The number of levels with choices, from level 0.
  public var levelCount: Int { choices.count }
  /// Whether every level has its choice, so that the code denotes one image.
  public var isComplete: Bool { levelCount == space.levels.count }

  /// Choices with dots between: "3.0.7".
  public var description: String { choices.map(String.init).joined(separator: ".") }
}

extension LatentCode: Hashable {
  public static func == (left: LatentCode, right: LatentCode) -> Bool {
    left.choices == right.choices && left.space == right.space
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(choices) }
}

/// The code is malformed or does not fit the model; one line.
public struct LatentCodeError: Error, Equatable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

extension Collection<LatentCode> {
  /// For each level `[B]` int64. All codes must have the same length.
  public func tensors(on device: Device) throws(TorchError) -> [Tensor] {
    var levels: [Tensor] = []
    for level in 0..<(first?.levelCount ?? 0) {
      levels.append(try Tensor(map { $0.choices[level] }, shape: [count]).to(device))
    }
    return levels
  }
}

extension [Tensor] {
  /// A batch's codes from each level's choices, `[B]`.
  public func latentCodes(in space: CodeSpace) throws -> [LatentCode] {
    guard let samples = first?.shape[0] else { return [] }
    let levels = try map { try $0.array(Int.self) }
    return try (0..<samples).map { sample in try LatentCode(levels.map { $0[sample] }, in: space) }
  }
}

extension [LevelOutput] {
  /// The codes chosen in a run, one per image.
  public func latentCodes(in space: CodeSpace) throws -> [LatentCode] { try map(\.codes).latentCodes(in: space) }
}
