import Torch

/// A reference of torch.save's pickle to a storage outside it.
struct StorageReference: Hashable {
  let dtype: DType
  /// The storage's name in the file.
  let key: String
  let count: Int

  /// - Parameter value: the operand of BINPERSID: `("storage", type, key, device, count)`, in old files with a sixth
  ///   value.
  init(_ value: PickleValue, in graph: PickleGraph) throws(ImportError) {
    let what = "a reference to a storage"
    let parts = try graph.tuple(value, what)
    guard (5...6).contains(parts.count), case .text("storage") = parts[0] else {
      throw ImportError("\(what) is not torch.save's")
    }
    guard case .global(let type) = parts[1], let dtype = type.storageType else {
      throw graph.unexpected(parts[1], "the type of \(what)", "one of PyTorch's storages")
    }
    if parts.count == 6, case .none = parts[5] {
    } else if parts.count == 6 {
      throw ImportError("\(what) is a view of another storage, which is not supported")
    }
    self.dtype = dtype
    key = try graph.text(parts[2], "a storage's key")
    _ = try graph.text(parts[3], "a storage's device")
    count = try graph.integer(parts[4], "a storage's count")
    guard (0...1 << 40).contains(count) else { throw ImportError("\(what) has the count \(count)") }
  }

  var byteCount: Int { count * dtype.size }
}

extension KnownGlobal {
  /// The element type of a storage class.
  fileprivate var storageType: DType? {
    switch self {
    case .floatStorage: .float32
    case .doubleStorage: .float64
    case .halfStorage: .float16
    case .bfloat16Storage: .bfloat16
    case .longStorage: .int64
    case .intStorage: .int32
    case .shortStorage: .int16
    case .charStorage: .int8
    case .byteStorage: .uint8
    case .boolStorage: .bool
    default: nil
    }
  }
}
