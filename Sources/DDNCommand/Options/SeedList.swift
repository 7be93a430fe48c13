import ArgumentParser

/// Seeds and ranges of seeds: "0-99", "7" or "1, 2, 5-10".
struct SeedList {
  let seeds: [UInt64]

  static let `default` = SeedList(seeds: Array(0...99))

  private static let limit = 10_000_000

  private init(seeds: [UInt64]) { self.seeds = seeds }

  /// - Throws: `ValidationError` for malformed or too many seeds.
  @Sendable init(parsing text: String) throws {
    var seeds: [UInt64] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = try part.split(separator: "-", omittingEmptySubsequences: false).map { try Self.seed($0, in: text) }
      guard let first = ends.first, let last = ends.last, ends.count <= 2 else {
        throw ValidationError("'\(part)' is not a seed or a range of seeds, such as 0-99")
      }
      guard first <= last else { throw ValidationError("the range \(part) is reversed") }
      guard last - first < UInt64(Self.limit - min(seeds.count, Self.limit)) else {
        throw ValidationError("there are more than \(Self.limit) seeds; use several commands")
      }
      seeds += Array(first...last)
    }
    self.seeds = seeds
  }

  private static func seed(_ part: Substring, in text: String) throws -> UInt64 {
    let word = part.filter { !$0.isWhitespace }
    guard !word.isEmpty else { throw ValidationError("a seed is missing; write seeds such as 0-99 or 1,2,5-10") }
    guard word.allSatisfy({ $0.isASCII && $0.isNumber }) else { throw ValidationError("'\(word)' is not a seed") }
    guard let seed = UInt64(word), seed <= UInt64(UInt32.max) else {
      throw ValidationError("seed \(word) is above \(UInt32.max); seeds have 32 bits")
    }
    return seed
  }
}
