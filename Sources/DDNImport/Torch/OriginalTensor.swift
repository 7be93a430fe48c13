import Foundation
import Torch

/// A tensor of an original file, row-major and little-endian.
public struct OriginalTensor: Sendable, Equatable {
  public let dtype: DType
  public let shape: [Int]
  public let bytes: Data

  /// A copy on the CPU.
  ///
  /// - Throws: `TorchError` when out of memory.
  public func tensor() throws(TorchError) -> Tensor {
    let result: Result<Tensor, TorchError> = bytes.withUnsafeBytes { buffer in
      do throws(TorchError) { return .success(try Tensor(bytes: buffer, shape: shape, dtype: dtype)) } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Whether all values are finite; true for integers.
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

/// Reads tensors of a pickle.
struct TensorReader {
  let graph: PickleGraph
  private var storages: any Storages
  /// The remaining budget of bytes, so that a file that repeats its storages costs no more than its size allows.
  private var bytesLeft: Int
  /// A lower bound on a tensor's size in the pickle, in any format.
  private static let descriptionBytes = 64

  /// - Parameter fileBytes: the file's size.
  init(_ graph: PickleGraph, storages: any Storages, fileBytes: Int) {
    self.graph = graph
    self.storages = storages
    bytesLeft = 4 * fileBytes
  }

  /// A parameter or a tensor.
  ///
  /// - Parameter name: of the tensor, for error messages.
  mutating func tensor(_ value: PickleValue, _ name: String) throws(ImportError) -> OriginalTensor {
    var value = value
    if let object = graph.object(value), [.rebuildParameter, .parameter].contains(object.global) {
      let arguments = try graph.tuple(object.arguments, name)
      guard (1...3).contains(arguments.count) else {
        throw ImportError("\(name) is a parameter of \(arguments.count) arguments")
      }
      value = arguments[0]
    }
    // PyTorch 0.1 had no arguments for gradients.
    let isOld = graph.object(value)?.global == .rebuildOldTensor
    let call = try graph.object(value, isOld ? .rebuildOldTensor : .rebuildTensor, name)
    let arguments = try graph.tuple(call.arguments, name)
    guard arguments.count == (isOld ? 4 : 6) else {
      throw ImportError("\(name) is a tensor of \(arguments.count) arguments, not \(isOld ? 4 : 6)")
    }
    let offset = try graph.integer(arguments[1], "\(name)'s offset")
    let shape = try integers(arguments[2], "\(name)'s size")
    let strides = try integers(arguments[3], "\(name)'s stride")
    let storage = try storages.storage(arguments[0], in: graph)
    try charge(storage.bytesRead)
    let view = try StridedView(shape: shape, strides: strides, offset: offset, name: name)
    let bytes = try view.bytes(of: storage, name: name)
    // The first read of a storage is charged above; further views of it cost their size.
    try charge(max(bytes.count - storage.bytesRead, 0) + Self.descriptionBytes)
    return OriginalTensor(dtype: storage.dtype, shape: shape, bytes: bytes)
  }

  /// Reduces the budget of bytes.
  ///
  /// - Throws: `ImportError` when it is exhausted.
  mutating func charge(_ bytes: Int) throws(ImportError) {
    bytesLeft -= bytes
    guard bytesLeft >= 0 else { throw ImportError("has tensors of over four times its size, from shared storages") }
  }

  private func integers(_ value: PickleValue, _ what: String) throws(ImportError) -> [Int] {
    var integers: [Int] = []
    for element in try graph.tuple(value, what) { integers.append(try graph.integer(element, what)) }
    return integers
  }
}

/// A tensor's view of its storage.
private struct StridedView {
  private let shape: [Int]
  private let strides: [Int]
  private let offset: Int
  private let count: Int

  /// - Throws: `ImportError` for gaps and overlaps.
  init(shape: [Int], strides: [Int], offset: Int, name: String) throws(ImportError) {
    guard shape.count == strides.count, shape.count <= 8 else {
      throw ImportError("\(name) has \(shape.count) sizes and \(strides.count) strides")
    }
    guard shape.allSatisfy({ (1...1 << 40).contains($0) }) else { throw ImportError("\(name) has the size \(shape)") }
    // From the fastest dimension to the slowest, strides must be products of the sizes before.
    let varying = shape.indices.filter { shape[$0] != 1 }.sorted { strides[$0] < strides[$1] }
    var count = 1
    for dimension in varying {
      guard strides[dimension] == count else {
        throw ImportError("\(name) of size \(shape) has the strides \(strides), with gaps or overlaps")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: shape[dimension])
      guard !overflow, product <= 1 << 40 else { throw ImportError("\(name) has the size \(shape)") }
      count = product
    }
    (self.shape, self.strides, self.offset, self.count) = (shape, strides, offset, count)
  }

  /// The elements in row-major order.
  func bytes(of storage: TensorStorage, name: String) throws(ImportError) -> Data {
    let size = storage.dtype.size
    let stored = storage.bytes.count / size
    guard (0...stored).contains(offset), count <= stored - offset else {
      throw ImportError("\(name) needs \(count) elements from offset \(offset), and its storage has \(stored)")
    }
    let start = storage.bytes.startIndex + offset * size
    let viewed = storage.bytes[start..<start + count * size]
    let rowMajor = shape.indices.reversed().reduce(into: [Int]()) { strides, dimension in
      strides.append(strides.isEmpty ? 1 : strides.last! * shape[dimension + 1])
    }.reversed()
    let isRowMajor = zip(shape, zip(strides, rowMajor)).allSatisfy { $0 == 1 || $1.0 == $1.1 }
    if isRowMajor { return viewed }

    var bytes = Data(capacity: viewed.count)
    var place = [Int](repeating: 0, count: shape.count)
    for _ in 0..<count {
      let source = viewed.startIndex + size * zip(place, strides).reduce(0) { $0 + $1.0 * $1.1 }
      bytes.append(viewed[source..<source + size])
      for dimension in shape.indices.reversed() {
        place[dimension] += 1
        if place[dimension] < shape[dimension] { break }
        place[dimension] = 0
      }
    }
    return bytes
  }
}
