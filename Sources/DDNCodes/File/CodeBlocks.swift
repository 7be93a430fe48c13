import DDN

/// The payload of a file: its blocks of images.
struct CodeBlocks {
  let key: CodeFile.Key
  private var space: CodeSpace { key.space }

  /// The most images that a payload can hold, a bit each at least, so that a small file cannot ask for much memory.
  /// `encode` sees to it.
  func capacity(hasLevelCounts: Bool, payloadLength: Int) -> Int {
    let uniform = hasLevelCounts ? space.levels[0].bits : space.bits
    let bits = key.prior == nil ? max(uniform, 1) : 1
    return Int(Double(payloadLength + 8) * 8 / bits)
  }

  func encode(_ table: CodeTable) throws -> [UInt8] {
    var encoder = RangeEncoder()
    for start in stride(from: 0, to: table.count, by: CodeFile.blockSize) {
      try encode(table, start..<min(start + CodeFile.blockSize, table.count), to: &encoder)
    }
    var payload = encoder.finish()
    while capacity(hasLevelCounts: table.levelCounts != nil, payloadLength: payload.count) < table.count {
      payload.append(0)  // As the decoder would read it.
    }
    return payload
  }

  private func encode(_ table: CodeTable, _ block: Range<Int>, to encoder: inout RangeEncoder) throws {
    if let counts = table.levelCounts {
      for image in block { encoder.encode(counts[image] - 1, of: space.levels.count) }
    }
    if let classes = table.classes { for image in block { encoder.encode(classes[image], of: key.classes) } }
    var prediction = try begin(block, classes: table.classes.map { Array($0[block]) })
    for (level, description) in space.levels.enumerated() {
      let (nodes, first) = (description.nodes, level * table.count)
      let frequencies = try prediction?.frequencies()
      for image in block where table.levelCounts == nil || table.levelCounts![image] > level {
        let choice = Int(table.choices[first + image])
        guard let frequencies else {
          encoder.encode(choice, of: nodes)
          continue
        }
        let row = frequencies[(image - block.lowerBound) * nodes..<(image - block.lowerBound + 1) * nodes]
        encoder.encode(choice, frequencies: row)
      }
      try prediction?.advance(table.choices[first + block.lowerBound..<first + block.upperBound].map(Int.init))
    }
  }

  private func begin(_ block: Range<Int>, classes: [Int]?) throws -> (any CodePrediction)? {
    try key.prior?.begin(count: block.count, classes: classes)
  }

  /// The codes of a payload, and how many images have no level in it.
  func decode(_ payload: [UInt8], header: CodeFileHeader, isWhole: Bool) throws -> (CodeTable, missing: Int) {
    let hasLevelCounts = header.flags.contains(.hasLevelCounts)
    // Of a payload whose end is missing, the blocks that it can reach.
    let limit = capacity(hasLevelCounts: hasLevelCounts, payloadLength: payload.count)
    let count = min(header.count, (limit / CodeFile.blockSize + 1) * CodeFile.blockSize)
    var table = CodeTable(space: space, count: count)
    if header.flags.contains(.hasClasses) { table.classes = Array(repeating: 0, count: count) }
    if hasLevelCounts { table.levelCounts = Array(repeating: space.levels.count, count: count) }
    var reader = ChoiceReader(payload, isWhole: isWhole)
    for start in stride(from: 0, to: count, by: CodeFile.blockSize) {
      let block = start..<min(start + CodeFile.blockSize, count)
      guard let end = try decode(&reader, block, into: &table) else { continue }
      let kept = cut(table, at: end, of: block)
      return (kept, header.count - kept.count)
    }
    return (table, header.count - count)
  }

  /// Where a message ends within a block: the next level and the next image.
  private typealias End = (level: Int, image: Int)

  /// - Returns: the end of the message, if it lies in the block.
  private func decode(
    _ reader: inout ChoiceReader, _ block: Range<Int>, into table: inout CodeTable
  ) throws -> End? {
    let nothing: End = (0, block.lowerBound)
    if table.levelCounts != nil {
      for image in block {
        guard let count = reader.read(of: space.levels.count) else { return nothing }
        table.levelCounts![image] = count + 1
      }
    }
    if table.classes != nil {
      for image in block {
        guard let number = reader.read(of: key.classes) else { return nothing }
        table.classes![image] = number
      }
    }
    var prediction = try begin(block, classes: table.classes.map { Array($0[block]) })
    for (level, description) in space.levels.enumerated() {
      let (nodes, first) = (description.nodes, level * table.count)
      let frequencies = try prediction?.frequencies()
      for image in block where table.levelCounts == nil || table.levelCounts![image] > level {
        let row = frequencies?[(image - block.lowerBound) * nodes..<(image - block.lowerBound + 1) * nodes]
        guard let choice = row.map({ reader.read($0) }) ?? reader.read(of: nodes) else { return (level, image) }
        table.choices[first + image] = UInt16(choice)
      }
      try prediction?.advance(table.choices[first + block.lowerBound..<first + block.upperBound].map(Int.init))
    }
    return nil
  }

  /// The images before a message's end, each with the levels that are whole.
  private func cut(_ table: CodeTable, at end: End, of block: Range<Int>) -> CodeTable {
    var levels: [Int] = []
    for image in 0..<block.upperBound {
      let all = table.levelCount(of: image)
      let whole = image < block.lowerBound ? all : image < end.image ? end.level + 1 : end.level
      levels.append(min(all, whole))
    }
    let kept = levels.prefix { $0 > 0 }.count
    var result = CodeTable(space: space, count: kept)
    result.classes = table.classes.map { Array($0[..<kept]) }
    result.levelCounts = Array(levels[..<kept])
    for image in 0..<kept {
      for level in 0..<levels[image] {
        result.choices[level * kept + image] = table.choices[level * table.count + image]
      }
    }
    return result
  }
}
