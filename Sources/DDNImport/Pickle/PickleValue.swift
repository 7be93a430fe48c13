import DDNFiles
import Foundation

/// A value of a pickle; containers and objects are indices of a `PickleGraph`.
enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int)
  /// An integer of more than eight bytes: two's complement, little-endian.
  case longInteger(Data)
  case number(Double)
  case text(String)
  case bytes(Data)
  case global(KnownGlobal)
  /// The full name of a global that is not in `KnownGlobal`.
  case unknown(String)
  case node(Int)
}

/// The values of a pickle.
///
/// Containers refer to one another by index, so cycles are harmless and deep nesting needs no recursion.
struct PickleGraph {
  enum Node {
    case tuple([PickleValue])
    /// Indices of `lists`, `dictionaries` and `objects`, which grow in place without copies.
    case list(Int)
    case dictionary(Int)
    case object(Int)
    case set
    /// An object or call of this full name, which is not in `KnownGlobal`; its content is dropped.
    case opaque(String)
    /// A persistent ID, such as of a tensor's storage.
    case persistent(PickleValue)
  }

  typealias Pair = (key: PickleValue, value: PickleValue)

  /// A recorded call or instantiation.
  struct Object {
    let global: KnownGlobal
    /// A tuple.
    let arguments: PickleValue
    /// The operand of BUILD; none before.
    var state = PickleValue.none
    /// The operands of SETITEMS.
    var items: [Pair] = []
  }

  private(set) var nodes: [Node] = []
  private var lists: [[PickleValue]] = []
  private var dictionaries: [[Pair]] = []
  private var objects: [Object] = []
  var root = PickleValue.none

  func node(_ value: PickleValue) -> Node? {
    guard case .node(let place) = value else { return nil }
    return nodes[place]
  }

  func object(_ value: PickleValue) -> Object? {
    guard case .object(let place)? = node(value) else { return nil }
    return objects[place]
  }
}

// Building, for the reader.
extension PickleGraph {
  mutating func add(_ node: Node) -> PickleValue {
    nodes.append(node)
    return .node(nodes.count - 1)
  }

  mutating func addList() -> PickleValue {
    lists.append([])
    return add(.list(lists.count - 1))
  }

  mutating func addDictionary() -> PickleValue {
    dictionaries.append([])
    return add(.dictionary(dictionaries.count - 1))
  }

  mutating func addObject(_ global: KnownGlobal, _ arguments: PickleValue) -> PickleValue {
    objects.append(Object(global: global, arguments: arguments))
    return add(.object(objects.count - 1))
  }

  mutating func append(_ values: [PickleValue], to list: PickleValue) throws(ImportError) {
    switch node(list) {
    case .list(let place)?: lists[place] += values
    case .opaque?: break
    default: throw ImportError("appends to a value that is not a list")
    }
  }

  mutating func set(_ pairs: [Pair], of dictionary: PickleValue) throws(ImportError) {
    switch node(dictionary) {
    case .dictionary(let place)?: dictionaries[place] += pairs
    case .object(let place)? where objects[place].global == .orderedDictionary: objects[place].items += pairs
    case .opaque?: break
    default: throw ImportError("sets items of a value that is not a dictionary")
    }
  }

  mutating func setState(_ state: PickleValue, of object: PickleValue) throws(ImportError) {
    if case .opaque? = node(object) { return }
    guard case .object(let place)? = node(object), objects[place].global.takesState, case .none = objects[place].state
    else { throw ImportError("sets the state of a value that has none") }
    objects[place].state = state
  }
}

// Typed access; `what` is the subject of error messages.
extension PickleGraph {
  func tuple(_ value: PickleValue, _ what: String) throws(ImportError) -> [PickleValue] {
    guard case .tuple(let values)? = node(value) else { throw unexpected(value, what, "a tuple") }
    return values
  }

  /// The elements of a list or a tuple.
  func sequence(_ value: PickleValue, _ what: String) throws(ImportError) -> [PickleValue] {
    switch node(value) {
    case .list(let place)?: return lists[place]
    case .tuple(let values)?: return values
    default: throw unexpected(value, what, "a list")
    }
  }

  /// The pairs of a `dict` or `OrderedDict`.
  func pairs(_ value: PickleValue, _ what: String) throws(ImportError) -> [Pair] {
    switch node(value) {
    case .dictionary(let place)?: return dictionaries[place]
    case .object(let place)? where objects[place].global == .orderedDictionary:
      let arguments = try tuple(objects[place].arguments, what)
      guard arguments.count <= 1 else { throw unexpected(value, what, "a plain dictionary") }
      // Python 2 passes a list of pairs.
      let pairs = try arguments.first.map { (list) throws(ImportError) in try sequence(list, what) } ?? []
      return try pairs.map { (pair) throws(ImportError) in
        let parts = try sequence(pair, "a pair of \(what)")
        guard parts.count == 2 else { throw unexpected(pair, "a pair of \(what)", "two values") }
        return (parts[0], parts[1])
      } + objects[place].items
    default: throw unexpected(value, what, "a dictionary")
    }
  }

  /// The members of a dictionary with string keys.
  ///
  /// - Parameter limit: the maximum count.
  func members(
    _ value: PickleValue, _ what: String, limit: Int = .max
  ) throws(ImportError) -> [String: PickleValue] {
    var members: [String: PickleValue] = [:]
    let pairs = try pairs(value, what)
    guard pairs.count <= limit else { throw ImportError("\(what) has \(pairs.count) members") }
    for (key, value) in pairs {
      let name = try text(key, "a key of \(what)")
      // Hashing brings long marks after a letter into a normal order, in quadratic time.
      guard name.utf8.count <= 1000 else { throw ImportError("\(what) has a key of \(name.utf8.count) bytes") }
      guard members.updateValue(value, forKey: name) == nil else {
        throw ImportError("\(what) has \(quoted(name)) twice")
      }
    }
    return members
  }

  /// An object or call of a given global.
  func object(
    _ value: PickleValue, _ global: KnownGlobal, _ what: String
  ) throws(ImportError) -> Object {
    guard let object = object(value), object.global == global else {
      throw unexpected(value, what, global.rawValue)
    }
    return object
  }

  func text(_ value: PickleValue, _ what: String) throws(ImportError) -> String {
    guard case .text(let text) = value else { throw unexpected(value, what, "a string") }
    return text
  }

  func integer(_ value: PickleValue, _ what: String) throws(ImportError) -> Int {
    guard case .integer(let integer) = value else { throw unexpected(value, what, "an integer") }
    return integer
  }

  func bool(_ value: PickleValue, _ what: String) throws(ImportError) -> Bool {
    guard case .bool(let bool) = value else { throw unexpected(value, what, "a bool") }
    return bool
  }

  /// Bytes, which protocol 2 writes as a Latin-1 string.
  func bytes(_ value: PickleValue, _ what: String) throws(ImportError) -> Data {
    if case .bytes(let bytes) = value { return bytes }
    guard let object = object(value), object.global == .encode else {
      throw unexpected(value, what, "bytes")
    }
    let arguments = try tuple(object.arguments, what)
    guard arguments.count == 2, case .text("latin1") = arguments[1], case .text(let text) = arguments[0] else {
      throw ImportError("\(what) is not encoded as latin1")
    }
    var bytes = Data(capacity: text.utf8.count)
    for scalar in text.unicodeScalars {
      guard let byte = UInt8(exactly: scalar.value) else {
        throw ImportError("\(what) has a character beyond latin1")
      }
      bytes.append(byte)
    }
    return bytes
  }

  /// An error that names the actual and the expected value.
  func unexpected(_ value: PickleValue, _ what: String, _ expected: String) -> ImportError {
    ImportError("\(what) is \(description(value)), not \(expected)")
  }

  private func description(_ value: PickleValue) -> String {
    switch value {
    case .none: "None"
    case .bool(let bool): bool ? "True" : "False"
    case .integer(let integer): "\(integer)"
    case .longInteger(let bytes): "a number of \(bytes.count) bytes"
    case .number(let number): "\(number)"
    case .text(let text): "the string \(quoted(text))"
    case .bytes(let bytes): "\(bytes.count) bytes"
    case .global(let global): "the name \(global.rawValue)"
    case .unknown(let name): "the name \(quoted(name))"
    case .node(let place):
      switch nodes[place] {
      case .tuple(let values): "a tuple of \(values.count)"
      case .list(let place): "a list of \(lists[place].count)"
      case .dictionary(let place): "a dictionary of \(dictionaries[place].count)"
      case .set: "a set"
      case .opaque(let name): "an object of \(quoted(name))"
      case .object(let place): "an object of \(objects[place].global.rawValue)"
      case .persistent: "a reference to a storage"
      }
    }
  }
}
