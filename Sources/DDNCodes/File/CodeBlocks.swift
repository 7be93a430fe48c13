import DDN

/// The payload of a file: its blocks of images.
struct CodeBlocks {
  let key: CodeFile.Key
  private var space: CodeSpace { key.space }

  /// Whether a payload can hold so many images, so that a small file cannot ask for much memory. `encode` sees to it.
  func canHold(_ count: Int, hasLevelCounts: Bool, payloadLength: Int) -> Bool {
    let least = 1 / 64.0  // bits of a code that a prior is sure of
    let bits = key.prior == nil ? max(hasLevelCounts ? space.levels[0].bits : space.bits, least) : least
    return Double(count) * bits <= Double(payloadLength + 8) * 8
  }

  func encode(_ table: CodeTable) throws -> [UInt8] {
    var encoder = RangeEncoder()
    for start in stride(from: 0, to: table.count, by: CodeFile.blockSize) {
      try encode(table, start..<min(start + CodeFile.blockSize, table.count), to: &encoder)
    }
    var payload = encoder.finish()
    while !canHold(table.count, hasLevelCounts: table.levelCounts != nil, payloadLength: payload.count) {
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
      let nodes = description.nodes
      for place in space.firstChoices[level]..<space.firstChoices[level + 1] {
        let first = place * table.count
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
  }

  private func begin(_ block: Range<Int>, classes: [Int]?) throws -> (any CodePrediction)? {
    try key.prior?.begin(count: block.count, classes: classes)
  }

  /// The codes of a payload, and how many images have no level in it.
  func decode(_ payload: [UInt8], header: CodeFileHeader, isWhole: Bool) throws -> (CodeTable, missing: Int) {
    var table = CodeTable(space: space, count: header.count)
    if header.flags.contains(.hasClasses) { table.classes = Array(repeating: 0, count: header.count) }
    if header.flags.contains(.hasLevelCounts) {
      table.levelCounts = Array(repeating: space.levels.count, count: header.count)
    }
    var reader = ChoiceReader(payload, isWhole: isWhole)
    for start in stride(from: 0, to: header.count, by: CodeFile.blockSize) {
      let block = start..<min(start + CodeFile.blockSize, header.count)
      guard let end = try decode(&reader, block, into: &table) else { continue }
      return cut(table, at: end, of: block)
    }
    return (table, 0)
  }

  /// Where a message ends within a block: the next choice and the next image.
  private typealias End = (place: Int, image: Int)

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
      let nodes = description.nodes
      for place in space.firstChoices[level]..<space.firstChoices[level + 1] {
        let first = place * table.count
        let frequencies = try prediction?.frequencies()
        for image in block where table.levelCounts == nil || table.levelCounts![image] > level {
          let row = frequencies?[(image - block.lowerBound) * nodes..<(image - block.lowerBound + 1) * nodes]
          guard let choice = row.map({ reader.read($0) }) ?? reader.read(of: nodes) else { return (place, image) }
          table.choices[first + image] = UInt16(choice)
        }
        try prediction?.advance(table.choices[first + block.lowerBound..<first + block.upperBound].map(Int.init))
      }
    }
    return nil
  }

  /// The images before a message's end, each with the levels that are whole.
  private func cut(_ table: CodeTable, at end: End, of block: Range<Int>) -> (CodeTable, missing: Int) {
    let level = space.firstChoices.lastIndex { $0 <= end.place }!
    let isLast = end.place + 1 == space.firstChoices[level + 1]
    var levels: [Int] = []
    for image in 0..<block.upperBound {
      let all = table.levelCount(of: image)
      let whole = image < block.lowerBound ? all : isLast && image < end.image ? level + 1 : level
      levels.append(min(all, whole))
    }
    let kept = levels.prefix { $0 > 0 }.count
    var result = CodeTable(space: space, count: kept)
    result.classes = table.classes.map { Array($0[..<kept]) }
    result.levelCounts = Array(levels[..<kept])
    for image in 0..<kept {
      for place in 0..<space.firstChoices[levels[image]] {
        result.choices[place * kept + image] = table.choices[place * table.count + image]
      }
    }
    return (result, table.count - kept)
  }
}
