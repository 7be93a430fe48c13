import CTorch
import Foundation

/// An array of numbers on a device, with its autograd history: one `at::Tensor` of libtorch.
///
/// Images are `[B, C, H, W]` and weights have PyTorch's order everywhere. A tensor is a reference: functions whose
/// names begin with "copy", and those of gradients, change it for all holders. Not for concurrent use.
public final class Tensor {
  let handle: ct_tensor

  /// Takes ownership of a handle from the C interface.
  init(owning handle: ct_tensor) { self.handle = handle }

  deinit { ct_tensor_free(handle) }

  /// The size of every dimension; empty for a scalar.
  public var shape: [Int] {
    var sizes = [Int64](repeating: 0, count: 16)
    var dimensions = sizes.count
    precondition(ct_tensor_shape(handle, &sizes, &dimensions) == 0, "more than 16 dimensions")
    return sizes[..<dimensions].map(Int.init)
  }

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }

  public var dtype: DType {
    let number = Int(kind.scalarType)
    guard let type = DType(scalarType: number) else { preconditionFailure("scalar type \(number) has no name here") }
    return type
  }

  public var device: Device { kind.deviceType == 0 ? .cpu : .cuda(Int(kind.deviceIndex)) }

  private var kind: (scalarType: Int32, deviceType: Int32, deviceIndex: Int32) {
    var kind: (scalarType: Int32, deviceType: Int32, deviceIndex: Int32) = (0, 0, 0)
    precondition(ct_tensor_kind(handle, &kind.scalarType, &kind.deviceType, &kind.deviceIndex) == 0)
    return kind
  }
}

/// Swift types of tensor elements.
public protocol TensorElement: Sendable {
  static var dtype: DType { get }
}
extension Float: TensorElement { public static var dtype: DType { .float32 } }
extension Double: TensorElement { public static var dtype: DType { .float64 } }
extension UInt8: TensorElement { public static var dtype: DType { .uint8 } }
extension Int32: TensorElement { public static var dtype: DType { .int32 } }
extension Int: TensorElement { public static var dtype: DType { .int64 } }

extension Tensor {
  /// A tensor on the CPU with a copy of `elements` in row-major order.
  ///
  /// - Throws: `TorchError` when memory runs out. A count that does not fit the shape is a precondition failure.
  public convenience init<Element: TensorElement>(_ elements: [Element], shape: [Int]) throws(TorchError) {
    precondition(elements.count == shape.reduce(1, *), "\(elements.count) elements do not fill the shape \(shape)")
    let result = elements.withUnsafeBytes { Tensor.make($0, shape: shape, dtype: Element.dtype) }
    self.init(owning: try result.get())
  }

  /// A tensor on the CPU with a copy of `bytes`, whose count must fit the shape and type.
  public convenience init(bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType) throws(TorchError) {
    self.init(owning: try Tensor.make(bytes, shape: shape, dtype: dtype).get())
  }

  private static func make(
    _ bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType
  ) -> Result<ct_tensor, TorchError> {
    var made: ct_tensor?
    let status = ct_tensor_from_bytes(
      bytes.baseAddress, bytes.count, shape.map(Int64.init), shape.count, Int32(dtype.scalarType), &made)
    do throws(TorchError) { try check("make a tensor", status) } catch { return .failure(error) }
    return .success(made!)
  }

  /// All elements in row-major order, converted to the requested type, copied to the host.
  public func array<Element: TensorElement>(_ type: Element.Type = Element.self) throws(TorchError) -> [Element] {
    let source = dtype == Element.dtype ? self : try detached().to(Element.dtype)
    var failure: TorchError?
    let count = source.count
    let elements = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      let status = ct_tensor_copy_bytes(source.handle, buffer.baseAddress, count * MemoryLayout<Element>.stride)
      do throws(TorchError) { try check("copy to the host", status) } catch { failure = error }
      initialized = failure == nil ? count : 0
    }
    if let failure { throw failure }
    return elements
  }

  /// The raw bytes in row-major order, in the tensor's type, copied to the host.
  public func bytes() throws(TorchError) -> Data {
    var data = Data(count: count * dtype.size)
    let status = data.withUnsafeMutableBytes { ct_tensor_copy_bytes(handle, $0.baseAddress, $0.count) }
    try check("copy to the host", status)
    return data
  }

  /// The only element of a tensor.
  public func item() throws(TorchError) -> Double {
    precondition(count == 1, "a tensor of shape \(shape) is not one number")
    return try array(Double.self)[0]
  }
}
