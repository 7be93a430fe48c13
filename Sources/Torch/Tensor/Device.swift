import CTorch

/// Where a tensor is stored and computed.
public enum Device: Hashable, Sendable, CustomStringConvertible {
  case cpu
  case cuda(Int)

  public var description: String {
    switch self {
    case .cpu: "cpu"
    case .cuda(let index): "cuda:\(index)"
    }
  }

  /// Reads "cpu", "cuda" or "cuda:1"; nil for anything else.
  public init?(_ text: String) {
    switch text.split(separator: ":", omittingEmptySubsequences: false).map(String.init) {
    case ["cpu"]: self = .cpu
    case ["cuda"]: self = .cuda(0)
    case let parts where parts.count == 2 && parts[0] == "cuda":
      guard let index = Int(parts[1]), index >= 0 else { return nil }
      self = .cuda(index)
    default: return nil
    }
  }

  /// The number of CUDA devices that this libtorch can use; 0 for a CPU build.
  public static func cudaCount() throws(TorchError) -> Int {
    var count: Int32 = 0
    try check("count CUDA devices", ct_cuda_device_count(&count))
    return Int(count)
  }

  var type: Int32 {
    switch self {
    case .cpu: 0
    case .cuda: 1
    }
  }

  var index: Int32 {
    switch self {
    case .cpu: -1
    case .cuda(let index): Int32(index)
    }
  }
}
