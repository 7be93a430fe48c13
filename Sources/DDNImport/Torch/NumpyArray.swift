import Foundation

/// An array of NumPy as a snapshot has it: 64-bit numbers, in the order of C.
struct NumpyArray {
  enum Element: String {
    case double = "f8"
    case integer = "i8"
  }

  let element: Element
  let shape: [Int]
  private let bytes: Data

  /// - Parameter name: of the array, for complaints.
  init(_ value: PickleValue, in graph: PickleGraph, _ name: String) throws(ImportProblem) {
    let parts =
      if let object = graph.object(value), object.global == .arrayFromBuffer {
        try Self.buffer(object, in: graph, name)
      } else {
        try Self.reconstructed(value, in: graph, name)
      }
    element = try Self.element(parts.type, in: graph, name)
    bytes = try graph.bytes(parts.bytes, name)
    var shape: [Int] = []
    var count = 1
    let sizes = try graph.tuple(parts.sizes, "\(name)'s size")
    guard sizes.count <= 8 else { throw ImportProblem("\(name) has \(sizes.count) sizes") }
    for size in sizes {
      let size = try graph.integer(size, "\(name)'s size")
      guard (0...1 << 30).contains(size) else { throw ImportProblem("\(name) has the size \(size)") }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow else { throw ImportProblem("\(name) is too large") }
      (count, shape) = (product, shape + [size])
    }
    self.shape = shape
    guard bytes.count / 8 == count, bytes.count % 8 == 0 else {
      throw ImportProblem("\(name) of size \(shape) has \(bytes.count) bytes")
    }
  }

  private typealias Parts = (sizes: PickleValue, type: PickleValue, bytes: PickleValue)

  /// An array as protocols up to 4 write it: `_reconstruct(ndarray, (0,), b"b")` and a state.
  private static func reconstructed(
    _ value: PickleValue, in graph: PickleGraph, _ name: String
  ) throws(ImportProblem) -> Parts {
    let call = try graph.object(value, .reconstructArray, name)
    let arguments = try graph.tuple(call.arguments, name)
    guard arguments.count == 3, case .global(.array) = arguments[0] else {
      throw ImportProblem("\(name) is no plain array")
    }
    // (version, shape, type, whether in Fortran's order, bytes)
    let state = try graph.tuple(call.state, "\(name)'s state")
    guard state.count == 5, case .integer(1) = state[0] else { throw ImportProblem("\(name) is no plain array") }
    guard try !graph.bool(state[3], "\(name)'s order") else { throw ImportProblem("\(name) is in Fortran's order") }
    return (state[1], state[2], state[4])
  }

  /// An array as protocol 5 writes it: `_frombuffer(bytes, type, shape, order)`, and newer a fifth argument for the order
  /// of axes, which is None for an array in the order of C.
  private static func buffer(
    _ call: PickleGraph.Object, in graph: PickleGraph, _ name: String
  ) throws(ImportProblem) -> Parts {
    let arguments = try graph.tuple(call.arguments, name)
    guard (4...5).contains(arguments.count) else { throw ImportProblem("\(name) is no plain array") }
    guard case .text("C") = arguments[3] else { throw ImportProblem("\(name) is not in the order of C") }
    if arguments.count == 5 {
      guard case .none = arguments[4] else { throw ImportProblem("\(name) is not in the order of C") }
    }
    return (arguments[2], arguments[1], arguments[0])
  }

  /// The type of elements, which must be of the machine's own order, lowest byte first.
  private static func element(
    _ value: PickleValue, in graph: PickleGraph, _ name: String
  ) throws(ImportProblem) -> Element {
    let type = try graph.object(value, .dtype, "\(name)'s type")
    let arguments = try graph.tuple(type.arguments, "\(name)'s type")
    let state = try graph.tuple(type.state, "\(name)'s type")
    guard let first = arguments.first, case .text(let code) = first, let element = Element(rawValue: code),
      state.count >= 2, case .text("<") = state[1]
    else { throw ImportProblem("\(name) is an array of something other than little-endian f8 or i8") }
    return element
  }

  /// A single number of NumPy; nil for what is none.
  static func scalar(_ value: PickleValue, in graph: PickleGraph, _ name: String) throws(ImportProblem) -> Double? {
    guard let object = graph.object(value), object.global == .scalar else { return nil }
    let arguments = try graph.tuple(object.arguments, name)
    guard arguments.count == 2, case .double = try element(arguments[0], in: graph, name) else {
      throw ImportProblem("\(name) is no double")
    }
    let bytes = try graph.bytes(arguments[1], name)
    guard bytes.count == 8 else { throw ImportProblem("\(name) is a double of \(bytes.count) bytes") }
    return Double(bitPattern: words(bytes)[0])
  }

  /// - Throws: `ImportProblem` when they are of another type or one of them is infinite or none.
  func doubles(_ shape: [Int], _ name: String) throws(ImportProblem) -> [Double] {
    guard element == .double, self.shape == shape else {
      throw ImportProblem("\(name) is no f8 array of size \(shape)")
    }
    let doubles = Self.words(bytes).map { Double(bitPattern: $0) }
    guard doubles.allSatisfy(\.isFinite) else {
      throw ImportProblem("\(name) has a number that is infinite or none")
    }
    return doubles
  }

  func integers(_ shape: [Int], _ name: String) throws(ImportProblem) -> [Int] {
    guard element == .integer, self.shape == shape else {
      throw ImportProblem("\(name) is no i8 array of size \(shape)")
    }
    return Self.words(bytes).map { Int(bitPattern: UInt($0)) }
  }

  private static func words(_ bytes: Data) -> [UInt64] {
    bytes.withUnsafeBytes { buffer in
      stride(from: 0, to: buffer.count, by: 8).map {
        UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: $0, as: UInt64.self))
      }
    }
  }
}
