import Foundation
import Torch

/// A tensor of the original's file, row-major and little-endian.
public struct OriginalTensor: Sendable, Equatable {
  public let dtype: DType
  public let shape: [Int]
  public let bytes: Data

  /// A copy on the CPU.
  ///
  /// - Throws: `TorchError` when memory is short.
  public func tensor() throws(TorchError) -> Tensor {
    let result: Result<Tensor, TorchError> = bytes.withUnsafeBytes { buffer in
      do throws(TorchError) { return .success(try Tensor(bytes: buffer, shape: shape, dtype: dtype)) } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Whether no number is infinite or none; always so for whole numbers.
  var isFinite: Bool {
    bytes.withUnsafeBytes { buffer in
      func all<Bits: FixedWidthInteger & BitwiseCopyable>(_ type: Bits.Type, exponent: Bits) -> Bool {
        stride(from: 0, to: buffer.count, by: MemoryLayout<Bits>.size).allSatisfy {
          Bits(littleEndian: buffer.loadUnaligned(fromByteOffset: $0, as: type)) & exponent != exponent
        }
      }
      return switch dtype {
      case .float32: all(UInt32.self, exponent: 0x7F80_0000)
      case .float64: all(UInt64.self, exponent: 0x7FF0_0000_0000_0000)
      case .float16: all(UInt16.self, exponent: 0x7C00)
      case .bfloat16: all(UInt16.self, exponent: 0x7F80)
      default: true
      }
    }
  }
}

/// Makes tensors of what a pickle says of them.
struct TensorReader {
  let graph: PickleGraph
  private var storages: any Storages
  /// Bytes that may still be read: a file that names the same numbers again and again must not cost more than one that
  /// holds as many.
  private var bytesLeft: Int
  /// What the description of a tensor takes at least, in any kind of file.
  private static let descriptionBytes = 64

  /// - Parameter fileBytes: how long the file is.
  init(_ graph: PickleGraph, storages: any Storages, fileBytes: Int) {
    self.graph = graph
    self.storages = storages
    bytesLeft = 4 * fileBytes
  }

  /// A parameter or a plain tensor.
  ///
  /// - Parameter name: of the tensor, for complaints.
  mutating func tensor(_ value: PickleValue, _ name: String) throws(ImportProblem) -> OriginalTensor {
    var value = value
    if let object = graph.object(value), object.global == .rebuildParameter {
      let arguments = try graph.tuple(object.arguments, name)
      guard arguments.count == 3 else { throw ImportProblem("\(name) is a parameter of \(arguments.count) arguments") }
      value = arguments[0]
    }
    let call = try graph.object(value, .rebuildTensor, name)
    let arguments = try graph.tuple(call.arguments, name)
    guard arguments.count == 6 else {
      throw ImportProblem("\(name) is a tensor of \(arguments.count) arguments, not 6")
    }
    let offset = try graph.integer(arguments[1], "\(name)'s offset")
    let shape = try integers(arguments[2], "\(name)'s size")
    let strides = try integers(arguments[3], "\(name)'s stride")
    let numbers = try storages.numbers(arguments[0], in: graph)
    try charge(numbers.bytesRead)
    let view = try StridedView(shape: shape, strides: strides, offset: offset, name: name)
    let bytes = try view.bytes(of: numbers, name: name)
    // What was read is paid for; a further view of it costs what it shows.
    try charge(max(bytes.count - numbers.bytesRead, 0) + Self.descriptionBytes)
    return OriginalTensor(dtype: numbers.dtype, shape: shape, bytes: bytes)
  }

  /// Takes away from what may still be read.
  ///
  /// - Throws: `ImportProblem` when nothing is left.
  mutating func charge(_ bytes: Int) throws(ImportProblem) {
    bytesLeft -= bytes
    guard bytesLeft >= 0 else { throw ImportProblem("uses the same numbers again and again") }
  }

  private func integers(_ value: PickleValue, _ what: String) throws(ImportProblem) -> [Int] {
    var integers: [Int] = []
    for element in try graph.tuple(value, what) { integers.append(try graph.integer(element, what)) }
    return integers
  }
}

/// Which of the stored numbers a tensor has, in which order.
private struct StridedView {
  private let shape: [Int]
  private let strides: [Int]
  private let offset: Int
  private let count: Int

  /// - Throws: `ImportProblem` unless the numbers lie without gaps and none is used twice.
  init(shape: [Int], strides: [Int], offset: Int, name: String) throws(ImportProblem) {
    guard shape.count == strides.count, shape.count <= 8 else {
      throw ImportProblem("\(name) has \(shape.count) sizes and \(strides.count) strides")
    }
    // An empty tensor belongs to no network.
    guard shape.allSatisfy({ (1...1 << 40).contains($0) }) else { throw ImportProblem("\(name) has the size \(shape)") }
    // From the fastest dimension to the slowest, each must begin where the one before ends.
    let varying = shape.indices.filter { shape[$0] != 1 }.sorted { strides[$0] < strides[$1] }
    var count = 1
    for dimension in varying {
      guard strides[dimension] == count else {
        throw ImportProblem("\(name) of size \(shape) has the strides \(strides), with gaps or overlaps")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: shape[dimension])
      guard !overflow, product <= 1 << 40 else { throw ImportProblem("\(name) has the size \(shape)") }
      count = product
    }
    (self.shape, self.strides, self.offset, self.count) = (shape, strides, offset, count)
  }

  /// The numbers in row-major order.
  func bytes(of numbers: StoredNumbers, name: String) throws(ImportProblem) -> Data {
    let size = numbers.dtype.size
    let stored = numbers.bytes.count / size
    guard (0...stored).contains(offset), count <= stored - offset else {
      throw ImportProblem("\(name) needs \(count) numbers from number \(offset) on, and \(stored) are stored")
    }
    let start = numbers.bytes.startIndex + offset * size
    let own = numbers.bytes[start..<start + count * size]
    let rowMajor = shape.indices.reversed().reduce(into: [Int]()) { strides, dimension in
      strides.append(strides.isEmpty ? 1 : strides.last! * shape[dimension + 1])
    }.reversed()
    let isRowMajor = zip(shape, zip(strides, rowMajor)).allSatisfy { $0 == 1 || $1.0 == $1.1 }
    if isRowMajor { return own }

    var bytes = Data(capacity: own.count)
    var place = [Int](repeating: 0, count: shape.count)
    for _ in 0..<count {
      let source = own.startIndex + size * zip(place, strides).reduce(0) { $0 + $1.0 * $1.1 }
      bytes.append(own[source..<source + size])
      for dimension in shape.indices.reversed() {
        place[dimension] += 1
        if place[dimension] < shape[dimension] { break }
        place[dimension] = 0
      }
    }
    return bytes
  }
}
