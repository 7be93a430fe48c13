import Foundation

/// Writes pickles as Python does, to build test files.
indirect enum Pickled {
  case none
  case bool(Bool)
  case int(Int)
  case number(Double)
  case text(String)
  case bytes(Data)
  case tuple([Pickled])
  case list([Pickled])
  case dictionary([(Pickled, Pickled)])
  /// "module name".
  case global(String)
  case call(String, [Pickled])
  case instance(String)
  /// An instance with arguments.
  case new(String, [Pickled])
  case built(Pickled, state: Pickled)
  case items(Pickled, [(Pickled, Pickled)])
  case persistent(Pickled)
  /// The value, stored in memo 0.
  case remembered(Pickled)
  /// Opcodes.
  case raw([UInt8])

  /// A dictionary with string keys.
  static func members(_ members: KeyValuePairs<String, Pickled>) -> Pickled {
    .dictionary(members.map { (.text($0.key), $0.value) })
  }

  /// A whole pickle.
  func pickle(protocol version: UInt8 = 2) -> Data { Data([0x80, version] + opcodes + [UInt8(ascii: ".")]) }

  private var opcodes: [UInt8] {
    func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }
    func all(_ values: [Pickled]) -> [UInt8] { values.flatMap(\.opcodes) }
    func all(_ pairs: [(Pickled, Pickled)]) -> [UInt8] { pairs.flatMap { $0.0.opcodes + $0.1.opcodes } }
    switch self {
    case .none: return ascii("N")
    case .bool(let bool): return [bool ? 0x88 : 0x89]
    case .int(let int):
      return Int32(exactly: int).map { ascii("J") + Self.bytes($0) } ?? [0x8A, 8] + Self.bytes(int)
    case .number(let number): return ascii("G") + Self.bytes(number.bitPattern).reversed()
    case .text(let text): return ascii("X") + Self.bytes(UInt32(text.utf8.count)) + ascii(text)
    case .bytes(let bytes): return ascii("B") + Self.bytes(UInt32(bytes.count)) + bytes
    case .tuple(let values): return ascii("(") + all(values) + ascii("t")
    case .list(let values): return ascii("](") + all(values) + ascii("e")
    case .dictionary(let pairs): return ascii("}(") + all(pairs) + ascii("u")
    case .global(let name): return ascii("c" + name.replacing(" ", with: "\n") + "\n")
    case .call(let name, let arguments):
      return Pickled.global(name).opcodes + Pickled.tuple(arguments).opcodes + ascii("R")
    case .instance(let name): return Pickled.global(name).opcodes + [UInt8(ascii: ")"), 0x81]
    case .new(let name, let arguments): return Pickled.global(name).opcodes + Pickled.tuple(arguments).opcodes + [0x81]
    case .built(let object, let state): return object.opcodes + state.opcodes + ascii("b")
    case .items(let object, let pairs): return object.opcodes + ascii("(") + all(pairs) + ascii("u")
    case .persistent(let value): return value.opcodes + ascii("Q")
    case .remembered(let value): return value.opcodes + [0x71, 0]
    case .raw(let opcodes): return opcodes
    }
  }

  static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }
}
