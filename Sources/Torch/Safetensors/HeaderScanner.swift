import DDNFiles

/// A strict JSON reader for safetensors headers.
///
/// Unlike Foundation's it refuses duplicate names, of which readers would choose different ones.
struct HeaderScanner {
  enum Value {
    case object([(name: String, value: Value)])
    case array([Value])
    case string(String)
    /// An integer from 0 to `Int.max` without sign, fraction or exponent.
    case wholeNumber(Int)
    /// Every other number, `true`, `false` and `null`; headers have none.
    case other
  }

  private let bytes: [UInt8]
  private var position = 0
  /// A header needs 3; the limit keeps a hostile one from overflowing the stack.
  private static let deepest = 16
  /// Lists are a tensor's sizes and its two offsets; no tensor has as many sizes. A longer list would cost memory.
  private static let longestList = 64

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The members of the one object in the bytes, with nothing before it and only white space after it.
  mutating func document() throws(SafetensorsProblem) -> [(name: String, value: Value)] {
    guard peek == UInt8(ascii: "{") else { throw SafetensorsProblem("has a header that does not start with '{'") }
    let members = try members(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw broken("text after the end") }
    return members
  }

  private mutating func value(depth: Int) throws(SafetensorsProblem) -> Value {
    guard depth <= Self.deepest else { throw broken("more than \(Self.deepest) levels") }
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return .object(try members(depth: depth))
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true")
    case UInt8(ascii: "f"): return try word("false")
    case UInt8(ascii: "n"): return try word("null")
    default: return try number()
    }
  }

  private mutating func members(depth: Int) throws(SafetensorsProblem) -> [(name: String, value: Value)] {
    position += 1
    var members: [(name: String, value: Value)] = []
    var names: Set<String> = []
    skipSpace()
    if take("}") { return members }
    repeat {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw broken("a name was expected") }
      let name = try string()
      guard names.insert(name).inserted else {
        throw SafetensorsProblem("names \(quoted(name)) twice in its header")
      }
      skipSpace()
      guard take(":") else { throw broken("':' was expected") }
      members.append((name, try value(depth: depth + 1)))
      skipSpace()
    } while take(",")
    guard take("}") else { throw broken("',' or '}' was expected") }
    return members
  }

  private mutating func array(depth: Int) throws(SafetensorsProblem) -> Value {
    position += 1
    var values: [Value] = []
    skipSpace()
    if take("]") { return .array(values) }
    repeat {
      guard values.count < Self.longestList else { throw broken("a list of more than \(Self.longestList) values") }
      values.append(try value(depth: depth + 1))
      skipSpace()
    } while take(",")
    guard take("]") else { throw broken("',' or ']' was expected") }
    return .array(values)
  }

  private mutating func string() throws(SafetensorsProblem) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = peek {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw SafetensorsProblem("has a header that is not UTF-8")
        }
        return string
      case UInt8(ascii: "\\"): text += String(try escape()).utf8
      case ..<0x20: throw broken("a control character in a text")
      default: text.append(byte)
      }
    }
    throw broken("a text without an end")
  }

  private mutating func escape() throws(SafetensorsProblem) -> Unicode.Scalar {
    guard let byte = peek else { throw broken("a text without an end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try hexadecimal()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      // A character above 16 bits is a high and a low surrogate.
      guard unit < 0xDC00, take("\\"), take("u") else { throw broken("half a character") }
      let low = try hexadecimal()
      guard (0xDC00...0xDFFF).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
      else { throw broken("half a character") }
      return scalar
    default: throw broken("an unknown escape")
    }
  }

  private mutating func hexadecimal() throws(SafetensorsProblem) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = peek.flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
        throw broken("four hexadecimal digits were expected")
      }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }

  private mutating func number() throws(SafetensorsProblem) -> Value {
    let start = position
    let isNegative = take("-")
    let first = position
    let digits = try digitCount()
    if digits > 1, bytes[first] == UInt8(ascii: "0") { throw broken("a number that starts with 0") }
    let integerEnd = position
    if take(".") { _ = try digitCount() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      _ = try digitCount()
    }
    guard !isNegative, position == integerEnd,
      let number = Int(String(decoding: bytes[start..<position], as: UTF8.self))
    else { return .other }
    return .wholeNumber(number)
  }

  /// Skips one or more digits.
  private mutating func digitCount() throws(SafetensorsProblem) -> Int {
    let start = position
    while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    guard position > start else { throw broken("a value was expected") }
    return position - start
  }

  private mutating func word(_ word: StaticString) throws(SafetensorsProblem) -> Value {
    let count = word.utf8CodeUnitCount
    let expected = UnsafeBufferPointer(start: word.utf8Start, count: count)
    guard bytes[position...].prefix(count).elementsEqual(expected) else { throw broken("a value was expected") }
    position += count
    return .other
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || (0x09...0x0A).contains(byte) || byte == 0x0D { position += 1 }
  }

  private func broken(_ what: String) -> SafetensorsProblem {
    SafetensorsProblem("has a header that is not JSON: \(what) at byte \(position)")
  }
}
