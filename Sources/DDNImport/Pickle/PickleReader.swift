import DDNFiles
import Foundation

/// Reads a pickle of protocol 2 to 5 into a graph of values, without running anything.
///
/// A pickle is a program for a stack machine. This machine has no side effects: names are looked up in `KnownGlobal`,
/// and calls are recorded as `PickleGraph.Object`. Objects of unknown classes become opaque values, so members that the
/// import does not read may hold anything.
///
/// Source: Python's library reference, modules `pickle` and `pickletools`.
struct PickleReader {
  /// Resource limits, far above the needs of the largest snapshot.
  struct Limits {
    /// Opcodes, each of which makes at most one value.
    var operations = 32_000_000
    /// Containers and objects; also the depth of the stack and the size of the memo.
    var nodes = 4_000_000
    /// Bytes of one string; a snapshot holds the original's source code.
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
  /// Stack depth at every open MARK.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  /// Interned, so that repeated names cost no copies.
  private var unknownNames: Set<String> = []

  /// - Parameters:
  ///   - data: may continue after the pickle; see `end`.
  ///   - allowsPersistentIDs: whether values may refer to storage outside the pickle.
  init(_ data: Data, at start: Int = 0, allowsPersistentIDs: Bool, limits: Limits = Limits()) {
    cursor = ByteCursor(data, at: start)
    self.limits = limits
    self.allowsPersistentIDs = allowsPersistentIDs
  }

  /// The position after the pickle.
  var end: Int { cursor.position }

  /// Reads to STOP.
  mutating func read() throws(ImportError) -> PickleGraph {
    guard cursor.next == PickleOpcode.proto.rawValue else {
      throw ImportError("is not a pickle of protocol 2 or newer: it does not begin with byte 0x80")
    }
    for _ in 0..<limits.operations {
      let place = cursor.position
      let byte = try cursor.byte("the pickle")
      guard let opcode = PickleOpcode(rawValue: byte) else {
        throw ImportError("has the unsupported opcode 0x\(hexadecimal(byte)) at byte \(place)")
      }
      do throws(ImportError) { try run(opcode) } catch {
        throw ImportError("\(error.problem) (\(opcode) at byte \(place) of a pickle)")
      }
      if opcode == .stop { return graph }
      guard graph.nodes.count <= limits.nodes else {
        throw ImportError("holds more than \(limits.nodes) containers and objects")
      }
      guard max(stack.count, marks.count, memo.count) <= limits.nodes else {
        throw ImportError("has more than \(limits.nodes) values on its stack or in its memo")
      }
    }
    throw ImportError("has more than \(limits.operations) operations")
  }

  private mutating func run(_ opcode: PickleOpcode) throws(ImportError) {
    switch opcode {
    case .proto:
      let version = try cursor.byte("its protocol")
      guard (2...5).contains(version) else { throw ImportError("has protocol \(version), not 2 to 5") }
    case .frame:
      let count = try cursor.uint64("a frame's length")
      guard count <= UInt64(cursor.remaining) else {
        throw ImportError("has a frame of \(count) bytes and ends after \(cursor.remaining)")
      }
    case .stop:
      guard marks.isEmpty, stack.count == 1 else {
        throw ImportError("has \(stack.count) values on its stack at its end, not 1")
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
    case .shortBinUnicode, .shortBinString: stack.append(try text(bytes: UInt64(cursor.byte("a string's length"))))
    case .binUnicode, .binString: stack.append(try text(bytes: UInt64(cursor.uint32("a string's length"))))
    case .binUnicode8: stack.append(try text(bytes: cursor.uint64("a string's length")))
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
      default: throw ImportError("adds items to a value that is not a set")
      }
    case .memoize: memo[memo.count] = try top()
    case .binPut: memo[Int(try cursor.byte("a memo index"))] = try top()
    case .longBinPut: memo[Int(try cursor.uint32("a memo index"))] = try top()
    case .binGet: try get(Int(cursor.byte("a memo index")))
    case .longBinGet: try get(Int(cursor.uint32("a memo index")))
    case .global:
      try name(module: cursor.line("a module's name"), cursor.line("a name"))
    case .stackGlobal:
      let names = try pop(2)
      guard case .text(let module) = names[0], case .text(let name) = names[1] else {
        throw ImportError("has a global name that is not a string")
      }
      try self.name(module: module, name)
    case .reduce: try object(pop(2), use: .call)
    case .newObject: try object(pop(2), use: .instance)
    case .build:
      let state = try pop()
      try graph.setState(state, of: top())
    case .binPersistentID:
      guard allowsPersistentIDs else { throw ImportError("refers to external storage, which only .pt files have") }
      stack.append(graph.add(.persistent(try pop())))
    }
  }
}

// Stack operations.
extension PickleReader {
  /// Only `popToMark` pops below the newest mark.
  private mutating func pop() throws(ImportError) -> PickleValue {
    guard stack.count > marks.last ?? 0 else { throw ImportError("pops from an empty stack") }
    return stack.removeLast()
  }

  private mutating func pop(_ count: Int) throws(ImportError) -> [PickleValue] {
    guard stack.count - count >= marks.last ?? 0 else { throw ImportError("pops from an empty stack") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(ImportError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw ImportError("pops to a missing mark") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private func top() throws(ImportError) -> PickleValue {
    guard stack.count > marks.last ?? 0 else { throw ImportError("reads the top of an empty stack") }
    return stack[stack.count - 1]
  }

  private mutating func get(_ index: Int) throws(ImportError) {
    guard let value = memo[index] else { throw ImportError("reads memo \(index), which is not set") }
    stack.append(value)
  }

  private mutating func integer(bytes count: Int) throws(ImportError) -> PickleValue {
    let bytes = try cursor.take(UInt64(count), "a number")
    guard count <= 8 else { return .longInteger(bytes) }
    var number = UInt64(0)
    for (place, byte) in bytes.enumerated() { number |= UInt64(byte) << (8 * place) }
    // Sign extension.
    let shift = 64 - 8 * count
    return .integer(count == 0 ? 0 : Int(truncatingIfNeeded: number << shift) >> shift)
  }

  private mutating func text(bytes count: UInt64) throws(ImportError) -> PickleValue {
    guard count <= UInt64(limits.textBytes) else { throw ImportError("has a string of \(count) bytes") }
    guard let text = String(validating: try cursor.take(count, "a string"), as: UTF8.self) else {
      throw ImportError("has a string that is not UTF-8")
    }
    return .text(text)
  }

  private mutating func setItems(_ values: [PickleValue]) throws(ImportError) {
    guard values.count % 2 == 0 else { throw ImportError("has a key without a value") }
    try graph.set(stride(from: 0, to: values.count, by: 2).map { (values[$0], values[$0 + 1]) }, of: top())
  }

  private mutating func name(module: String, _ name: String) throws(ImportError) {
    let isShort = module.utf8.count + name.utf8.count < limits.nameBytes
    if isShort, let global = KnownGlobal(module: module, name: name) { return stack.append(.global(global)) }
    guard isShort, UnknownGlobal.isHarmless(module: module, name: name) else {
      throw ImportError(
        "refers to \(quoted("\(module.prefix(200)).\(name.prefix(200))")), which no snapshot needs; nothing was run"
      )
    }
    stack.append(.unknown(unknownNames.insert("\(module).\(name)").memberAfterInsert))
    guard unknownNames.count <= limits.unknownNames else {
      throw ImportError("refers to more than \(limits.unknownNames) unknown names")
    }
  }

  private mutating func object(_ values: [PickleValue], use: KnownGlobal.Use) throws(ImportError) {
    if case .unknown(let name) = values[0], case .tuple? = graph.node(values[1]) {
      return stack.append(graph.add(.opaque(name)))
    }
    guard case .global(let global) = values[0] else { throw ImportError("calls a value that is not a global name") }
    guard global.use == use, case .tuple(let arguments)? = graph.node(values[1]),
      use == .call || arguments.isEmpty || global == .parameter
    else { throw ImportError("uses \(global.rawValue) as no snapshot does") }
    stack.append(graph.addObject(global, values[1]))
  }
}

private func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
