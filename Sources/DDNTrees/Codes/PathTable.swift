import DDN

/// Complete codes of one model, packed into rows of bytes whose order is the order of the tree's leaves.
///
/// A row is a path from the root: the class of a class-conditional model, then the choices. A step takes one byte, or
/// two or four where there are more than 256 branches.
public struct PathTable: Sendable {
  public let space: CodeSpace
  /// Classes of the model; 0 for none.
  public let classes: Int
  /// Steps of a path.
  public let steps: Int
  public private(set) var count = 0

  /// Bytes of a step, big-endian.
  let stepBytes: Int
  /// `[count, steps * stepBytes]`.
  private(set) var bytes: [UInt8] = []

  /// - Parameters:
  ///   - space: of the model.
  ///   - classes: that the model is conditioned on; 0 for none.
  public init(_ space: CodeSpace, classes: Int = 0) {
    self.space = space
    self.classes = classes
    steps = space.levels.count + (classes > 0 ? 1 : 0)
    let branches = max(space.maxNodes, classes)
    stepBytes = branches <= 1 << 8 ? 1 : branches <= 1 << 16 ? 2 : 4
  }

  /// Codes in the order of a list.
  ///
  /// - Parameters:
  ///   - entries: complete codes, with classes if the model has classes.
  ///   - space: of the model.
  ///   - classes: that the model is conditioned on; 0 for none.
  /// - Throws: `LatentCodeError` when a code is partial, or its class is missing or does not fit.
  public init(_ entries: [CodeList.Entry], in space: CodeSpace, classes: Int) throws(LatentCodeError) {
    self.init(space, classes: classes)
    reserveCapacity(entries.count)
    for entry in entries { try append(entry.code, classIndex: entry.classIndex) }
  }

  /// Bytes of a row.
  var rowBytes: Int { steps * stepBytes }

  /// Steps before the first choice: 1 with classes.
  var classSteps: Int { steps - space.levels.count }

  mutating func reserveCapacity(_ rows: Int) { bytes.reserveCapacity(rows * rowBytes) }

  /// Appends a code.
  ///
  /// - Parameters:
  ///   - code: of the table's space.
  ///   - classIndex: the code's class; for a model with classes only.
  /// - Throws: `LatentCodeError` when the code is partial, or its class is missing or does not fit.
  public mutating func append(_ code: LatentCode, classIndex: Int? = nil) throws(LatentCodeError) {
    guard code.choices.count == space.levels.count else {
      throw LatentCodeError(
        "code \(code) has \(code.choices.count) choices, but the model has \(space.levels.count)")
    }
    append(steps: try pathStart(classIndex, of: code) + code.choices)
  }

  /// The steps before the first choice.
  func pathStart(_ classIndex: Int?, of code: LatentCode) throws(LatentCodeError) -> [Int] {
    guard classes > 0 else { return [] }
    guard let classIndex, (0..<classes).contains(classIndex) else {
      throw LatentCodeError("code \(code) needs a class within 0...\(classes - 1), as in \(code):0")
    }
    return [classIndex]
  }

  /// Appends a path that is known to fit.
  mutating func append(steps path: some Sequence<Int>) {
    for step in path { appendStep(step) }
    count += 1
    precondition(bytes.count == count * rowBytes, "a path has \(steps) steps")
  }

  private mutating func appendStep(_ step: Int) {
    for byte in (0..<stepBytes).reversed() { bytes.append(UInt8(truncatingIfNeeded: step >> (8 * byte))) }
  }

  /// One step of a row: a class or a choice.
  public func step(_ step: Int, of row: Int) -> Int {
    let start = (row * steps + step) * stepBytes
    if stepBytes == 1 { return Int(bytes[start]) }
    return bytes[start..<start + stepBytes].reduce(0) { $0 << 8 | Int($1) }
  }

  /// The code of a row, and its class.
  public func entry(_ row: Int) -> CodeList.Entry {
    let path = (0..<steps).map { step($0, of: row) }
    guard let code = try? LatentCode(Array(path[classSteps...]), in: space) else {
      preconditionFailure("the table's codes fit its space")
    }
    return CodeList.Entry(code: code, classIndex: classes > 0 ? path[0] : nil)
  }

  /// For each of some rows a number that equal codes share.
  func leafNumbers(of rows: [Int]) -> [Int] {
    var numbers: [[UInt8]: Int] = [:]
    return rows.map { row in
      let code = Array(bytes[row * rowBytes..<(row + 1) * rowBytes])
      let number = numbers[code, default: numbers.count]
      numbers[code] = number
      return number
    }
  }

  /// Reorders the rows in place: row `i` becomes the old row `order[i]`.
  ///
  /// - Parameter order: a permutation.
  mutating func permute(_ order: [Int32]) {
    var isDone = [Bool](repeating: false, count: count)
    let width = rowBytes
    bytes.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      let first = UnsafeMutableRawPointer.allocate(byteCount: width, alignment: 1)
      defer { first.deallocate() }
      for start in order.indices where !isDone[start] {
        first.copyMemory(from: base + start * width, byteCount: width)
        var place = start
        while true {
          isDone[place] = true
          let source = Int(order[place])
          if source == start { break }
          (base + place * width).copyMemory(from: base + source * width, byteCount: width)
          place = source
        }
        (base + place * width).copyMemory(from: first, byteCount: width)
      }
    }
  }
}

extension PathTable {
  /// The codes of seeds, as of `CodeList(seeds:in:classes:)`: class `seed % classes`.
  ///
  /// - Parameters:
  ///   - seeds: one code each.
  ///   - space: of the model.
  ///   - classes: that the model is conditioned on; 0 for none.
  public init(seeds: some Collection<UInt64>, in space: CodeSpace, classes: Int = 0) {
    self.init(space, classes: classes)
    reserveCapacity(seeds.count)
    for seed in seeds {
      if classes > 0 { appendStep(Int(seed % UInt64(classes))) }
      append(steps: LatentCode(seed: seed, in: space).choices)
    }
  }
}
