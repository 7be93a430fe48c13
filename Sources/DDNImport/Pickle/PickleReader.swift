import DDNFiles
import Foundation

/// Reads one pickle of protocol 2 to 5 into a graph of values, and runs nothing of it.
///
/// A pickle is a program for a small machine with a stack. This one has the machine without its dangerous half: names
/// are looked up in `KnownGlobal`, and calls are written down as `PickleGraph.Object` and never made. Objects of classes
/// that are unknown are read as opaque values, which nothing else can be made of: what no import reads may be anything.
///
/// Source: Python's library reference, modules `pickle` and `pickletools`.
struct PickleReader {
  /// What a pickle may cost; far above what the largest snapshot needs.
  struct Limits {
    /// Opcodes, each of which makes at most one value.
    var operations = 32_000_000
    /// Containers and objects; also values on the stack, and those remembered.
    var nodes = 4_000_000
    /// Bytes of one text; a snapshot holds the text of the original's sources.
    var textBytes = 1 << 30
    /// Distinct names that are not in `KnownGlobal`.
    var unknownNames = 1000
    /// Bytes of a name with its module.
    var nameBytes = 200
  }

  private var cursor: ByteCursor
  private let limits: Limits
  private let allowsPersistentIDs: Bool

  private var graph = PickleGraph()
  private var stack: [PickleValue] = []
  /// Where the stack began at every MARK that is still open.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  /// Each unknown name once: a file that joins the same texts again and again must not cost a copy for each.
  private var unknownNames: Set<String> = []

  /// - Parameters:
  ///   - data: more may follow the pickle; `end` says where it ended.
  ///   - allowsPersistentIDs: whether values may refer to what is stored outside the pickle.
  init(_ data: Data, at start: Int = 0, allowsPersistentIDs: Bool, limits: Limits = Limits()) {
    cursor = ByteCursor(data, at: start)
    self.limits = limits
    self.allowsPersistentIDs = allowsPersistentIDs
  }

  /// Where the next byte after the pickle is.
  var end: Int { cursor.position }

  /// Reads to STOP.
  mutating func read() throws(ImportProblem) -> PickleGraph {
    guard cursor.next == PickleOpcode.proto.rawValue else {
      throw ImportProblem("is no pickle of protocol 2 or newer: it does not begin with byte 0x80")
    }
    for _ in 0..<limits.operations {
      let place = cursor.position
      let byte = try cursor.byte("the pickle")
      guard let opcode = PickleOpcode(rawValue: byte) else {
        throw ImportProblem("has the opcode 0x\(hexadecimal(byte)) at byte \(place), which no snapshot has")
      }
      do throws(ImportProblem) { try run(opcode) } catch {
        throw ImportProblem("\(error.text) (\(opcode) at byte \(place) of a pickle)")
      }
      if opcode == .stop { return graph }
      guard graph.nodes.count <= limits.nodes else {
        throw ImportProblem("holds more than \(limits.nodes) containers and objects")
      }
      guard max(stack.count, marks.count, memo.count) <= limits.nodes else {
        throw ImportProblem("has more than \(limits.nodes) values on its stack or remembered")
      }
    }
    throw ImportProblem("has more than \(limits.operations) operations")
  }

  private mutating func run(_ opcode: PickleOpcode) throws(ImportProblem) {
    switch opcode {
    case .proto:
      let version = try cursor.byte("its protocol")
      guard (2...5).contains(version) else { throw ImportProblem("is of protocol \(version), not 2 to 5") }
    case .frame:
      let count = try cursor.uint64("a frame's length")
      guard count <= UInt64(cursor.remaining) else {
        throw ImportProblem("has a frame of \(count) bytes and ends after \(cursor.remaining)")
      }
    case .stop:
      guard marks.isEmpty, stack.count == 1 else {
        throw ImportProblem("has \(stack.count) values on its stack at its end, not 1")
      }
      graph.root = stack[0]
    case .mark: marks.append(stack.count)
    case .pop: _ = try pop()
    case .popMark: _ = try popToMark()
    case .none: stack.append(.none)
    case .newTrue: stack.append(.bool(true))
    case .newFalse: stack.append(.bool(false))
    case .binInt: stack.append(.integer(Int(Int32(bitPattern: try cursor.uint32("a number")))))
    case .binInt1: stack.append(.integer(Int(try cursor.byte("a number"))))
    case .binInt2: stack.append(.integer(Int(try cursor.uint16("a number"))))
    case .long1: stack.append(try integer(bytes: Int(cursor.byte("a number's length"))))
    case .long4: stack.append(try integer(bytes: Int(cursor.uint32("a number's length"))))
    case .binFloat:
      stack.append(.number(Double(bitPattern: try cursor.uint64("a number").byteSwapped)))
    case .shortBinUnicode: stack.append(try text(bytes: UInt64(cursor.byte("a text's length"))))
    case .binUnicode: stack.append(try text(bytes: UInt64(cursor.uint32("a text's length"))))
    case .binUnicode8: stack.append(try text(bytes: cursor.uint64("a text's length")))
    case .shortBinBytes: stack.append(.bytes(try cursor.take(UInt64(cursor.byte("a length")), "bytes")))
    case .binBytes: stack.append(.bytes(try cursor.take(UInt64(cursor.uint32("a length")), "bytes")))
    case .binBytes8, .byteArray8: stack.append(.bytes(try cursor.take(cursor.uint64("a length"), "bytes")))
    case .emptyTuple: stack.append(graph.add(.tuple([])))
    case .tuple1: stack.append(graph.add(.tuple(try pop(1))))
    case .tuple2: stack.append(graph.add(.tuple(try pop(2))))
    case .tuple3: stack.append(graph.add(.tuple(try pop(3))))
    case .tuple: stack.append(graph.add(.tuple(try popToMark())))
    case .emptyList: stack.append(graph.addList())
    case .append:
      let value = try pop()
      try graph.append([value], to: top())
    case .appends:
      let values = try popToMark()
      try graph.append(values, to: top())
    case .emptyDict: stack.append(graph.addDictionary())
    case .setItem: try setItems(pop(2))
    case .setItems: try setItems(popToMark())
    case .emptySet: stack.append(graph.add(.set))
    case .addItems:
      _ = try popToMark()
      switch graph.node(try top()) {
      case .set?, .opaque?: break
      default: throw ImportProblem("adds to what is no set")
      }
    case .memoize: memo[memo.count] = try top()
    case .binPut: memo[Int(try cursor.byte("a memo number"))] = try top()
    case .longBinPut: memo[Int(try cursor.uint32("a memo number"))] = try top()
    case .binGet: try recall(Int(cursor.byte("a memo number")))
    case .longBinGet: try recall(Int(cursor.uint32("a memo number")))
    case .global:
      try name(module: cursor.line("a module's name"), cursor.line("a name"))
    case .stackGlobal:
      let names = try pop(2)
      guard case .text(let module) = names[0], case .text(let name) = names[1] else {
        throw ImportProblem("names something by what is no text")
      }
      try self.name(module: module, name)
    case .reduce: try object(pop(2), use: .call)
    case .newObject: try object(pop(2), use: .instance)
    case .build:
      let state = try pop()
      try graph.setState(state, of: top())
    case .binPersistentID:
      guard allowsPersistentIDs else { throw ImportProblem("refers to stored objects, which only a .pt file has") }
      stack.append(graph.add(.persistent(try pop())))
    }
  }
}

// The machine's parts.
extension PickleReader {
  /// The stack never shrinks below the newest mark but by `popToMark`.
  private mutating func pop() throws(ImportProblem) -> PickleValue {
    guard stack.count > marks.last ?? 0 else { throw ImportProblem("takes a value from an empty stack") }
    return stack.removeLast()
  }

  private mutating func pop(_ count: Int) throws(ImportProblem) -> [PickleValue] {
    guard stack.count - count >= marks.last ?? 0 else { throw ImportProblem("takes a value from an empty stack") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(ImportProblem) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw ImportProblem("takes values up to a mark that is not there") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private func top() throws(ImportProblem) -> PickleValue {
    guard stack.count > marks.last ?? 0 else { throw ImportProblem("uses a value of an empty stack") }
    return stack[stack.count - 1]
  }

  private mutating func recall(_ number: Int) throws(ImportProblem) {
    guard let value = memo[number] else { throw ImportProblem("recalls \(number), which was never remembered") }
    stack.append(value)
  }

  private mutating func integer(bytes count: Int) throws(ImportProblem) -> PickleValue {
    let bytes = try cursor.take(UInt64(count), "a number")
    guard count <= 8 else { return .longInteger(bytes) }
    var number = UInt64(0)
    for (place, byte) in bytes.enumerated() { number |= UInt64(byte) << (8 * place) }
    // The highest bit is the sign.
    let shift = 64 - 8 * count
    return .integer(count == 0 ? 0 : Int(truncatingIfNeeded: number << shift) >> shift)
  }

  private mutating func text(bytes count: UInt64) throws(ImportProblem) -> PickleValue {
    guard count <= UInt64(limits.textBytes) else { throw ImportProblem("has a text of \(count) bytes") }
    guard let text = String(validating: try cursor.take(count, "a text"), as: UTF8.self) else {
      throw ImportProblem("has a text that is not UTF-8")
    }
    return .text(text)
  }

  private mutating func setItems(_ values: [PickleValue]) throws(ImportProblem) {
    guard values.count % 2 == 0 else { throw ImportProblem("has a key without a value") }
    try graph.set(stride(from: 0, to: values.count, by: 2).map { (values[$0], values[$0 + 1]) }, of: top())
  }

  private mutating func name(module: String, _ name: String) throws(ImportProblem) {
    let isShort = module.utf8.count + name.utf8.count < limits.nameBytes
    if isShort, let global = KnownGlobal(module: module, name: name) { return stack.append(.global(global)) }
    guard isShort, UnknownGlobal.isHarmless(module: module, name: name) else {
      throw ImportProblem(
        "asks for \(quoted("\(module.prefix(200)).\(name.prefix(200))")), which no snapshot needs; nothing of it was run"
      )
    }
    stack.append(.unknown(unknownNames.insert("\(module).\(name)").memberAfterInsert))
    guard unknownNames.count <= limits.unknownNames else {
      throw ImportProblem("names more than \(limits.unknownNames) things that no snapshot has")
    }
  }

  private mutating func object(_ values: [PickleValue], use: KnownGlobal.Use) throws(ImportProblem) {
    if case .unknown(let name) = values[0], case .tuple? = graph.node(values[1]) {
      return stack.append(graph.add(.opaque(name)))
    }
    guard case .global(let global) = values[0] else { throw ImportProblem("calls what is no name") }
    guard global.use == use, case .tuple(let arguments)? = graph.node(values[1]),
      use == .call || arguments.isEmpty
    else { throw ImportProblem("uses \(global.rawValue) in a way that no snapshot does") }
    stack.append(graph.addObject(global, values[1]))
  }
}

private func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
