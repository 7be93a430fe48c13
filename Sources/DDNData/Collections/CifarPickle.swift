import DDNFiles
import Foundation

/// Reads a batch of the Python version of CIFAR-10 or CIFAR-100 without running anything.
///
/// A pickle is a program for a small stack machine. This one knows the instructions that make numbers, strings, lists,
/// tuples and dictionaries, and two calls, which it does not make but recognizes: NumPy's for an array of bytes and for
/// its element type. Whatever else a file asks for is an error.
///
/// Python 2 wrote the published batches at protocol 2; Python 3's protocols 3 and 4 are read, too.
///
/// Source: Python's `pickletools` for the instructions.
struct CifarPickle {
  private enum Value {
    case none
    case bool(Bool)
    case int(Int)
    case bytes(ArraySlice<UInt8>)
    case tuple([Value])
    case list(Box<[Value]>)
    case dictionary(Box<[String: Value]>)
    case global(String)
    /// NumPy's `u1`; no other is taken.
    case byteType
    case array(Box<NumPyArray>)
    case mark
  }

  /// Shared by everyone who remembered it.
  private final class Box<Content> {
    var content: Content
    init(_ content: Content) { self.content = content }
  }

  private struct NumPyArray {
    var rows = 0
    var columns = 0
    var bytes: ArraySlice<UInt8> = []
    /// Whether columns follow one another, not rows.
    var isFortran = false

    /// Row after row; there must be `rows * columns` of them.
    var rowMajorBytes: ArraySlice<UInt8> {
      guard isFortran else { return bytes }
      let start = bytes.startIndex
      var turned: [UInt8] = []
      turned.reserveCapacity(bytes.count)
      for row in 0..<rows {
        for column in 0..<columns { turned.append(bytes[start + column * rows + row]) }
      }
      return turned[...]
    }
  }

  private let input: [UInt8]
  private let path: String
  private var position = 0
  private var stack: [Value] = []
  private var memo: [Int: Value] = [:]

  /// Lists, tuples and dictionaries that may still be made. A batch has about ten; thousands within each other would
  /// overflow the stack when they are freed.
  private var containersLeft = 1000

  /// Instructions, each of which makes at most one value; a batch of 10,000 images takes some 30,000.
  private static let mostInstructions = 500_000
  /// Bytes of a name or of an entry's key, which a batch may recall as often as it likes.
  private static let longestName = 200

  private static let reconstruct: Set = [
    "numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct",
  ]

  /// - Returns: `[N, 3, 32, 32]`, flat, and `[N]`.
  /// - Throws: `FileError` (`invalid`) when the file is damaged or is anything but such a batch.
  static func read(
    _ bytes: [UInt8], labels key: String = "labels", path: String
  ) throws(FileError) -> (pixels: ArraySlice<UInt8>, labels: [Int]) {
    var reader = CifarPickle(input: bytes, path: path)
    guard case .dictionary(let batch) = try reader.run(), case .array(let pixels) = batch.content["data"],
      case .list(let list) = batch.content[key]
    else { throw reader.invalid("has no labels and data") }
    let labels = list.content.compactMap { if case .int(let label) = $0 { label } else { nil } }
    let count = list.content.count
    let array = pixels.content
    guard labels.count == count else { throw reader.invalid("has a label that is no number") }
    guard count > 0, array.rows == count, array.columns == Cifar.pixelCount,
      array.bytes.count == count * Cifar.pixelCount
    else {
      throw reader.invalid(
        "has \(array.bytes.count) bytes of data in \(array.rows) rows and \(array.columns) columns for \(count) labels")
    }
    return (array.rowMajorBytes, labels)
  }

  private init(input: [UInt8], path: String) {
    self.input = input
    self.path = path
  }

  private mutating func run() throws(FileError) -> Value {
    for _ in 0..<Self.mostInstructions {
      let instruction = try take(1).first!
      switch UnicodeScalar(instruction) {
      case "\u{80}": guard (2...4).contains(try number(1)) else { throw invalid("is of an unknown protocol") }
      case ".": return try pop()
      // How many bytes belong together; all are read in turn.
      case "\u{95}": _ = try take(8)
      case "N": stack.append(.none)
      case "\u{88}": stack.append(.bool(true))
      case "\u{89}": stack.append(.bool(false))
      case "K": stack.append(.int(try number(1)))
      case "M": stack.append(.int(try number(2)))
      case "J": stack.append(.int(Int(Int32(truncatingIfNeeded: try number(4)))))
      case "U", "C", "\u{8C}": stack.append(.bytes(try take(number(1))))
      case "T", "B", "X": stack.append(.bytes(try take(number(4))))
      case "(": stack.append(.mark)
      case "]": try push(container: .list(Box([])))
      case "}": try push(container: .dictionary(Box([:])))
      case ")": try push(container: .tuple([]))
      case "t": try push(container: .tuple(popToMark()))
      case "\u{85}", "\u{86}", "\u{87}": try makeTuple(count: Int(instruction) - 0x84)
      case "a": try append([pop()])
      case "e": try append(popToMark())
      case "s": try set([pop(), pop()].reversed())
      case "u": try set(popToMark())
      case "q": memo[try number(1)] = try peek()
      case "r": memo[try number(4)] = try peek()
      case "\u{94}": memo[memo.count] = try peek()
      case "h": try recall(number(1))
      case "j": try recall(number(4))
      case "c": stack.append(.global("\(try line()) \(try line())"))
      case "\u{93}":
        let name = try name(pop())
        stack.append(.global("\(try self.name(pop())) \(name)"))
      case "R": try reduce()
      case "b": try build()
      default: throw invalid("asks for instruction \(instruction), which no CIFAR-10 batch needs")
      }
    }
    throw invalid("has more than \(Self.mostInstructions) instructions")
  }

  /// Recognizes a call; nothing is called.
  private mutating func reduce() throws(FileError) {
    guard case .tuple(let arguments) = try pop(), case .global(let function) = try pop() else {
      throw invalid("calls what is no function")
    }
    if Self.reconstruct.contains(function), case .global("numpy ndarray") = arguments.first {
      stack.append(.array(Box(NumPyArray())))
    } else if function == "numpy dtype", let type = arguments.first {
      let name = try name(type)
      guard name == "u1" else { throw invalid("has an array of NumPy's type \(quoted(name)), not of bytes") }
      stack.append(.byteType)
    } else {
      throw invalid("wants to call \(quoted(function))")
    }
  }

  /// Fills an array; of an element type only the name counts.
  private mutating func build() throws(FileError) {
    guard case .tuple(let state) = try pop() else { throw invalid("sets an unknown state") }
    switch try peek() {
    case .byteType: return
    case .array(let array):
      guard state.count == 5, case .tuple(let sizes) = state[1], case .byteType = state[2],
        case .bool(let isFortran) = state[3], case .bytes(let bytes) = state[4]
      else { throw invalid("has an array of something else than bytes") }
      guard sizes.count == 2, case .int(let rows) = sizes[0], case .int(let columns) = sizes[1] else {
        throw invalid("has an array whose size is not a number of rows and one of columns")
      }
      array.content = NumPyArray(rows: rows, columns: columns, bytes: bytes, isFortran: isFortran)
    default: throw invalid("sets the state of something else than an array")
    }
  }

  private mutating func append(_ values: [Value]) throws(FileError) {
    guard case .list(let list) = try peek() else { throw invalid("appends to what is no list") }
    list.content += values
  }

  /// - Parameter pairs: keys and values in turns.
  private mutating func set(_ pairs: [Value]) throws(FileError) {
    guard case .dictionary(let dictionary) = try peek(), pairs.count % 2 == 0 else {
      throw invalid("sets entries of what is no dictionary")
    }
    for place in stride(from: 0, to: pairs.count, by: 2) {
      dictionary.content[try name(pairs[place])] = pairs[place + 1]
    }
  }

  private mutating func makeTuple(count: Int) throws(FileError) {
    guard stack.count >= count else { throw invalid("takes from an empty stack") }
    let values = Array(stack.suffix(count))
    stack.removeLast(count)
    try push(container: .tuple(values))
  }

  private mutating func push(container: Value) throws(FileError) {
    containersLeft -= 1
    guard containersLeft >= 0 else { throw invalid("has too many lists and tuples") }
    stack.append(container)
  }

  private mutating func recall(_ key: Int) throws(FileError) {
    guard let value = memo[key] else { throw invalid("recalls what it did not remember") }
    stack.append(value)
  }

  private func peek() throws(FileError) -> Value {
    guard let value = stack.last else { throw invalid("takes from an empty stack") }
    return value
  }

  private mutating func pop() throws(FileError) -> Value {
    guard let value = stack.popLast() else { throw invalid("takes from an empty stack") }
    return value
  }

  private mutating func popToMark() throws(FileError) -> [Value] {
    let place = stack.lastIndex { if case .mark = $0 { true } else { false } }
    guard let place else { throw invalid("has an end without a beginning") }
    let values = Array(stack[(place + 1)...])
    stack.removeLast(stack.count - place)
    return values
  }

  private mutating func take(_ count: Int) throws(FileError) -> ArraySlice<UInt8> {
    guard count <= input.count - position else { throw invalid("is cut off after \(input.count) bytes") }
    defer { position += count }
    return input[position..<position + count]
  }

  /// An unsigned number, lowest byte first.
  private mutating func number(_ bytes: Int) throws(FileError) -> Int {
    try take(bytes).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func line() throws(FileError) -> String {
    let start = input[position...].prefix(Self.longestName + 1)
    guard let end = start.firstIndex(of: UInt8(ascii: "\n")) else {
      throw invalid("is cut off in a name, or has one of more than \(Self.longestName) bytes")
    }
    defer { position = end + 1 }
    return String(decoding: input[position..<end], as: UTF8.self)
  }

  private func name(_ value: Value) throws(FileError) -> String {
    guard case .bytes(let bytes) = value, bytes.count <= Self.longestName else {
      throw invalid("has a name that is no text of at most \(Self.longestName) bytes")
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func invalid(_ problem: String) -> FileError {
    FileError(
      .invalid, path: path, problem: "is no batch of CIFAR-10's Python version: it \(problem)",
      remedy: "download it again, or the binary version")
  }
}
