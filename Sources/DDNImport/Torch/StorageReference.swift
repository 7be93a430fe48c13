import Torch

/// How a pickle of torch.save refers to numbers that are stored beside it.
struct StorageReference: Hashable {
  let dtype: DType
  /// The name of the numbers within the file.
  let key: String
  let count: Int

  /// - Parameter value: what BINPERSID took: `("storage", type, key, device, count)`, and a sixth value in old files.
  init(_ value: PickleValue, in graph: PickleGraph) throws(ImportProblem) {
    let what = "a reference to stored numbers"
    let parts = try graph.tuple(value, what)
    guard (5...6).contains(parts.count), case .text("storage") = parts[0] else {
      throw ImportProblem("\(what) is not one of torch.save")
    }
    guard case .global(let type) = parts[1], let dtype = type.storageType else {
      throw graph.unexpected(parts[1], "the type of \(what)", "one of PyTorch's storages")
    }
    if parts.count == 6, case .none = parts[5] {
    } else if parts.count == 6 {
      throw ImportProblem("\(what) is a part of other stored numbers, which no snapshot has")
    }
    self.dtype = dtype
    key = try graph.text(parts[2], "the name of stored numbers")
    _ = try graph.text(parts[3], "the device of stored numbers")
    count = try graph.integer(parts[4], "the count of stored numbers")
    guard (0...1 << 40).contains(count) else { throw ImportProblem("\(what) counts \(count) of them") }
  }

  var byteCount: Int { count * dtype.size }
}

extension KnownGlobal {
  /// The type of the numbers in a storage of this class.
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
