import Foundation
import Torch

/// The numbers chosen at each level: one image's place in the tree, and all that is needed to draw it again.
///
/// Source: paper, section 3.3 (latent of L log2 K bits).
public struct LatentCode: Hashable, Sendable, CustomStringConvertible {
  /// The chosen node of every level, from level 0.
  public let choices: [Int]

  /// - Throws: `LatentCodeError` when there are more choices than levels or a choice is out of its level's range.
  public init(_ choices: [Int], nodesOfLevels: [Int]) throws(LatentCodeError) {
    guard (1...nodesOfLevels.count).contains(choices.count) else {
      throw LatentCodeError("a code of \(choices.count) choices does not fit a model of \(nodesOfLevels.count) levels")
    }
    for (level, (choice, nodes)) in zip(choices, nodesOfLevels).enumerated() where !(0..<nodes).contains(choice) {
      throw LatentCodeError("choice \(choice) at level \(level) is not within 0...\(nodes - 1)")
    }
    self.choices = choices
  }

  /// Reads what `description` writes: choices from level 0, separated by dots, such as "3.0.7".
  ///
  /// - Throws: `LatentCodeError` also for anything but whole numbers and dots.
  public init(parsing text: String, nodesOfLevels: [Int]) throws(LatentCodeError) {
    var choices: [Int] = []
    for part in text.split(separator: ".", omittingEmptySubsequences: false) {
      guard part.allSatisfy({ $0.isASCII && $0.isNumber }), let choice = Int(part) else {
        throw LatentCodeError("'\(text)' is not a code; write the choices with dots between, such as 3.0.7")
      }
      choices.append(choice)
    }
    try self.init(choices, nodesOfLevels: nodesOfLevels)
  }

  /// The code that a seed draws: every level's choice uniform among its nodes, the same on every machine.
  ///
  /// Equal to the original program's codes of that seed: level l takes number l of `torch.rand` on a CPU. That
  /// generator reads the low 32 bits of a seed.
  public init(seed: UInt64, nodesOfLevels: [Int]) {
    var generator = MersenneTwister(seed: seed)
    choices = nodesOfLevels.map { nodes in min(Int(Float(nodes) * generator.uniform()), nodes - 1) }
  }

  /// The information in a code of a model: the sum over levels of log2 K bits.
  public static func bits(nodesOfLevels: [Int]) -> Double {
    nodesOfLevels.reduce(0) { $0 + log2(Double($1)) }
  }

  public var description: String { choices.map(String.init).joined(separator: ".") }
}

/// A code that does not fit a model; one line.
public struct LatentCodeError: Error, Equatable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

extension Collection<LatentCode> {
  /// For each level a `[B]` int64 tensor, as `GivenChooser` takes them. All codes must have the same length.
  public func tensors(on device: Device) throws(TorchError) -> [Tensor] {
    var levels: [Tensor] = []
    for level in 0..<(first?.choices.count ?? 0) {
      levels.append(try Tensor(map { $0.choices[level] }, shape: [count]).to(device))
    }
    return levels
  }
}

extension [LevelOutput] {
  /// The codes that a run has chosen, one for each image of the batch.
  public func latentCodes(nodesOfLevels: [Int]) throws -> [LatentCode] {
    try map(\.codes).latentCodes(nodesOfLevels: nodesOfLevels)
  }
}

extension [Tensor] {
  /// For each level a `[B]` tensor of choices, as one code for each image of the batch.
  func latentCodes(nodesOfLevels: [Int]) throws -> [LatentCode] {
    let levels = try map { try $0.array(Int.self) }  // [L][B]
    return try (levels.first?.indices ?? 0..<0).map { sample in
      try LatentCode(levels.map { $0[sample] }, nodesOfLevels: nodesOfLevels)
    }
  }
}
