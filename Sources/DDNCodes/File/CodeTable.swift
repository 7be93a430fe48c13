import DDN

/// The codes of many images in one array, two bytes a choice.
public struct CodeTable: Sendable, Equatable {
  public let space: CodeSpace
  public let count: Int
  /// `[L, count]`, all images' choices at level 0, then those at level 1; 0 after the end of a code.
  public internal(set) var choices: [UInt16]
  /// `[count]`, the levels of each code, at least 1; nil when all codes are complete.
  public internal(set) var levelCounts: [Int]?
  /// `[count]`; nil for no classes.
  public internal(set) var classes: [Int]?

  /// Nodes that a level may have.
  public static let maxNodes = 1 << 16

  /// Codes whose choices are all 0.
  init(space: CodeSpace, count: Int) {
    self.space = space
    self.count = count
    choices = Array(repeating: 0, count: count * space.levels.count)
  }

  /// Complete codes without classes.
  ///
  /// - Parameters:
  ///   - space: of the network, with at most 65,536 nodes at a level.
  ///   - count: of codes.
  ///   - choice: of a level and an image; called for every image of a level before the next one.
  public init(space: CodeSpace, count: Int, choice: (_ level: Int, _ image: Int) -> Int) {
    precondition(space.maxNodes <= Self.maxNodes, "a level of \(space.maxNodes) nodes")
    self.init(space: space, count: count)
    for level in space.levels.indices {
      for image in 0..<count { choices[level * count + image] = UInt16(choice(level, image)) }
    }
  }

  /// - Parameters:
  ///   - entries: codes of one space, with at least one level; all have a class, or none.
  ///   - space: of the network.
  /// - Throws: `LatentCodeError` for classes of some codes only, and for levels of more than 65,536 nodes.
  public init(_ entries: [CodeList.Entry], in space: CodeSpace) throws(LatentCodeError) {
    guard space.maxNodes <= Self.maxNodes else {
      throw LatentCodeError("levels of \(space.maxNodes) nodes: a file of codes has at most \(Self.maxNodes)")
    }
    self.init(space: space, count: entries.count)
    let classes = entries.compactMap(\.classIndex)
    guard classes.isEmpty || classes.count == entries.count else {
      throw LatentCodeError("\(classes.count) of \(entries.count) codes have a class; give one to all or to none")
    }
    self.classes = classes.isEmpty ? nil : classes
    var levels: [Int] = []
    for (image, entry) in entries.enumerated() {
      if entry.code.space != space { try space.validate(entry.code.choices) }
      for (level, choice) in entry.code.choices.enumerated() { choices[level * count + image] = UInt16(choice) }
      levels.append(entry.code.levelCount)
    }
    levelCounts = levels.allSatisfy { $0 == space.levels.count } ? nil : levels
  }

  /// The code of an image, with its class.
  public subscript(image: Int) -> CodeList.Entry {
    let code = (0..<levelCount(of: image)).map { Int(choices[$0 * count + image]) }
    return CodeList.Entry(code: LatentCode(unchecked: code, in: space), classIndex: classes?[image])
  }

  public var entries: [CodeList.Entry] { (0..<count).map { self[$0] } }

  /// The levels of an image's code.
  public func levelCount(of image: Int) -> Int { levelCounts?[image] ?? space.levels.count }

  /// Information in all choices, if every node is equally likely.
  public var bits: Double {
    guard let levelCounts else { return Double(count) * space.bits }
    let sums = space.levels.reduce(into: [0.0]) { $0.append($0.last! + $1.bits) }
    return levelCounts.reduce(0) { $0 + sums[$1] }
  }

  /// The first levels of every code.
  ///
  /// - Parameter levels: at least 1.
  public func prefix(_ levels: Int) -> CodeTable {
    var table = self
    let levels = min(levels, space.levels.count)
    let counts = (0..<count).map { min(levelCount(of: $0), levels) }
    table.levelCounts = counts.allSatisfy { $0 == space.levels.count } ? nil : counts
    for place in levels * count..<choices.count { table.choices[place] = 0 }
    return table
  }
}
