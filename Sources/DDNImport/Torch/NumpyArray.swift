import Foundation

/// A pickled NumPy array of 64-bit numbers in C order.
struct NumpyArray {
  enum Element: String {
    case double = "f8"
    case integer = "i8"
  }

  let element: Element
  let shape: [Int]
  private let bytes: Data

  /// - Parameter name: of the array, for error messages.
  init(_ value: PickleValue, in graph: PickleGraph, _ name: String) throws(ImportError) {
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
    guard sizes.count <= 8 else { throw ImportError("\(name) has \(sizes.count) sizes") }
    for size in sizes {
      let size = try graph.integer(size, "\(name)'s size")
      guard (0...1 << 30).contains(size) else { throw ImportError("\(name) has the size \(size)") }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow else { throw ImportError("\(name) is too large") }
      (count, shape) = (product, shape + [size])
    }
    self.shape = shape
    guard bytes.count / 8 == count, bytes.count % 8 == 0 else {
      throw ImportError("\(name) of size \(shape) has \(bytes.count) bytes")
    }
  }

  private typealias Parts = (sizes: PickleValue, type: PickleValue, bytes: PickleValue)

  /// Protocols up to 4: `_reconstruct(ndarray, (0,), b"b")` and a state.
  private static func reconstructed(
    _ value: PickleValue, in graph: PickleGraph, _ name: String
  ) throws(ImportError) -> Parts {
    let call = try graph.object(value, .reconstructArray, name)
    let arguments = try graph.tuple(call.arguments, name)
    guard arguments.count == 3, case .global(.array) = arguments[0] else {
      throw ImportError("\(name) is not a plain array")
    }
    // (version, shape, type, is Fortran order, bytes)
    let state = try graph.tuple(call.state, "\(name)'s state")
    guard state.count == 5, case .integer(1) = state[0] else { throw ImportError("\(name) is not a plain array") }
    guard try !graph.bool(state[3], "\(name)'s order") else { throw ImportError("\(name) is in Fortran order") }
    return (state[1], state[2], state[4])
  }

  /// Protocol 5: `_frombuffer(bytes, type, shape, order)`; newer versions add an axis order, None for C order.
  private static func buffer(
    _ call: PickleGraph.Object, in graph: PickleGraph, _ name: String
  ) throws(ImportError) -> Parts {
    let arguments = try graph.tuple(call.arguments, name)
    guard (4...5).contains(arguments.count) else { throw ImportError("\(name) is not a plain array") }
    guard case .text("C") = arguments[3] else { throw ImportError("\(name) is not in C order") }
    if arguments.count == 5 {
      guard case .none = arguments[4] else { throw ImportError("\(name) is not in C order") }
    }
    return (arguments[2], arguments[1], arguments[0])
  }

  /// The element type, which must be little-endian.
  private static func element(
    _ value: PickleValue, in graph: PickleGraph, _ name: String
  ) throws(ImportError) -> Element {
    let type = try graph.object(value, .dtype, "\(name)'s type")
    let arguments = try graph.tuple(type.arguments, "\(name)'s type")
    let state = try graph.tuple(type.state, "\(name)'s type")
    guard let first = arguments.first, case .text(let code) = first, let element = Element(rawValue: code),
      state.count >= 2, case .text("<") = state[1]
    else { throw ImportError("\(name) is not an array of little-endian f8 or i8") }
    return element
  }

  /// A NumPy scalar; nil for other values.
  static func scalar(_ value: PickleValue, in graph: PickleGraph, _ name: String) throws(ImportError) -> Double? {
    guard let object = graph.object(value), object.global == .scalar else { return nil }
    let arguments = try graph.tuple(object.arguments, name)
    guard arguments.count == 2, case .double = try element(arguments[0], in: graph, name) else {
      throw ImportError("\(name) is not a double")
    }
    let bytes = try graph.bytes(arguments[1], name)
    guard bytes.count == 8 else { throw ImportError("\(name) is a double of \(bytes.count) bytes") }
    return Double(bitPattern: words(bytes)[0])
  }

  /// - Throws: `ImportError` for another type or shape, and for values that are not finite.
  func doubles(_ shape: [Int], _ name: String) throws(ImportError) -> [Double] {
    guard element == .double, self.shape == shape else {
      throw ImportError("\(name) is not an f8 array of shape \(shape)")
    }
    let doubles = Self.words(bytes).map { Double(bitPattern: $0) }
    guard doubles.allSatisfy(\.isFinite) else { throw ImportError("\(name) has values that are not finite") }
    return doubles
  }

  func integers(_ shape: [Int], _ name: String) throws(ImportError) -> [Int] {
    guard element == .integer, self.shape == shape else {
      throw ImportError("\(name) is not an i8 array of shape \(shape)")
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
