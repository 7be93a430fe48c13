import DDNFiles
import Foundation

/// One value of a pickle; containers and objects are places in a `PickleGraph`.
enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int)
  /// An integer of more than eight bytes: two's complement, lowest byte first.
  case longInteger(Data)
  case number(Double)
  case text(String)
  case bytes(Data)
  case global(KnownGlobal)
  /// The full name of something that is not in `KnownGlobal`.
  case unknown(String)
  case node(Int)
}

/// The values of one pickle.
///
/// Containers refer to one another by number, so that a cycle is harmless and nothing deep is ever taken down by
/// recursion, whatever the file says.
struct PickleGraph {
  enum Node {
    case tuple([PickleValue])
    /// Places in `lists`, `dictionaries` and `objects`: what grows is kept where nothing copies it.
    case list(Int)
    case dictionary(Int)
    case object(Int)
    case set
    /// An object or call of this full name, which is not in `KnownGlobal`; its content is not kept.
    case opaque(String)
    /// What the file refers to by a name of its own, such as the numbers of a tensor.
    case persistent(PickleValue)
  }

  typealias Pair = (key: PickleValue, value: PickleValue)

  /// A call or a new instance as the file asks for it: it is written down, and never done.
  struct Object {
    let global: KnownGlobal
    /// A tuple.
    let arguments: PickleValue
    /// What BUILD would give to the object; none until then.
    var state = PickleValue.none
    /// What SETITEMS would put into the object.
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

// What the reader makes.
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

  mutating func append(_ values: [PickleValue], to list: PickleValue) throws(ImportProblem) {
    switch node(list) {
    case .list(let place)?: lists[place] += values
    case .opaque?: break
    default: throw ImportProblem("appends to what is no list")
    }
  }

  mutating func set(_ pairs: [Pair], of dictionary: PickleValue) throws(ImportProblem) {
    switch node(dictionary) {
    case .dictionary(let place)?: dictionaries[place] += pairs
    case .object(let place)? where objects[place].global == .orderedDictionary: objects[place].items += pairs
    case .opaque?: break
    default: throw ImportProblem("sets items of what is no dictionary")
    }
  }

  mutating func setState(_ state: PickleValue, of object: PickleValue) throws(ImportProblem) {
    if case .opaque? = node(object) { return }
    guard case .object(let place)? = node(object), objects[place].global.takesState, case .none = objects[place].state
    else { throw ImportProblem("gives a state to what takes none") }
    objects[place].state = state
  }
}

// What a value must be, for those who know what they are looking for. `what` is the subject of a complaint.
extension PickleGraph {
  func tuple(_ value: PickleValue, _ what: String) throws(ImportProblem) -> [PickleValue] {
    guard case .tuple(let values)? = node(value) else { throw unexpected(value, what, "a tuple") }
    return values
  }

  /// The elements of a list or a tuple.
  func sequence(_ value: PickleValue, _ what: String) throws(ImportProblem) -> [PickleValue] {
    switch node(value) {
    case .list(let place)?: return lists[place]
    case .tuple(let values)?: return values
    default: throw unexpected(value, what, "a list")
    }
  }

  /// The pairs of a dictionary, ordered or not.
  func pairs(_ value: PickleValue, _ what: String) throws(ImportProblem) -> [Pair] {
    switch node(value) {
    case .dictionary(let place)?: return dictionaries[place]
    case .object(let place)? where objects[place].global == .orderedDictionary:
      guard try tuple(objects[place].arguments, what).isEmpty else {
        throw unexpected(value, what, "a plain dictionary")
      }
      return objects[place].items
    default: throw unexpected(value, what, "a dictionary")
    }
  }

  /// The members of a dictionary whose keys are texts.
  ///
  /// - Parameter limit: how many there may be.
  func members(
    _ value: PickleValue, _ what: String, limit: Int = .max
  ) throws(ImportProblem) -> [String: PickleValue] {
    var members: [String: PickleValue] = [:]
    let pairs = try pairs(value, what)
    guard pairs.count <= limit else { throw ImportProblem("\(what) has \(pairs.count) members") }
    for (key, value) in pairs {
      let name = try text(key, "a key of \(what)")
      guard members.updateValue(value, forKey: name) == nil else {
        throw ImportProblem("\(what) has \(quoted(name)) twice")
      }
    }
    return members
  }

  /// An object of one class, or a call of one function.
  func object(
    _ value: PickleValue, _ global: KnownGlobal, _ what: String
  ) throws(ImportProblem) -> Object {
    guard let object = object(value), object.global == global else {
      throw unexpected(value, what, global.rawValue)
    }
    return object
  }

  func text(_ value: PickleValue, _ what: String) throws(ImportProblem) -> String {
    guard case .text(let text) = value else { throw unexpected(value, what, "a text") }
    return text
  }

  func integer(_ value: PickleValue, _ what: String) throws(ImportProblem) -> Int {
    guard case .integer(let integer) = value else { throw unexpected(value, what, "a whole number") }
    return integer
  }

  func bool(_ value: PickleValue, _ what: String) throws(ImportProblem) -> Bool {
    guard case .bool(let bool) = value else { throw unexpected(value, what, "true or false") }
    return bool
  }

  /// Bytes, which protocol 2 writes as a text of characters below 256.
  func bytes(_ value: PickleValue, _ what: String) throws(ImportProblem) -> Data {
    if case .bytes(let bytes) = value { return bytes }
    guard let object = object(value), object.global == .encode else {
      throw unexpected(value, what, "bytes")
    }
    let arguments = try tuple(object.arguments, what)
    guard arguments.count == 2, case .text("latin1") = arguments[1], case .text(let text) = arguments[0] else {
      throw ImportProblem("\(what) is bytes in an encoding other than latin1")
    }
    var bytes = Data(capacity: text.utf8.count)
    for scalar in text.unicodeScalars {
      guard let byte = UInt8(exactly: scalar.value) else {
        throw ImportProblem("\(what) is bytes with a character beyond latin1")
      }
      bytes.append(byte)
    }
    return bytes
  }

  /// A complaint that names what was found instead.
  func unexpected(_ value: PickleValue, _ what: String, _ wanted: String) -> ImportProblem {
    ImportProblem("\(what) is \(description(value)), not \(wanted)")
  }

  private func description(_ value: PickleValue) -> String {
    switch value {
    case .none: "None"
    case .bool(let bool): bool ? "True" : "False"
    case .integer(let integer): "\(integer)"
    case .longInteger(let bytes): "a number of \(bytes.count) bytes"
    case .number(let number): "\(number)"
    case .text(let text): "the text \(quoted(text))"
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
      case .persistent: "a reference to stored numbers"
      }
    }
  }
}
