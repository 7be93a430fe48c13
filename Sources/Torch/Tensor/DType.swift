/// The type of a tensor's elements; raw values are safetensors' names.
public enum DType: String, Sendable, CaseIterable, Codable {
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case int16 = "I16"
  case int32 = "I32"
  case int64 = "I64"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case float32 = "F32"
  case float64 = "F64"

  /// Bytes of one element.
  public var size: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .int16, .float16, .bfloat16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }

  /// The number libtorch gives this type in calls (`c10::ScalarType`).
  var scalarType: Int {
    switch self {
    case .uint8: 0
    case .int8: 1
    case .int16: 2
    case .int32: 3
    case .int64: 4
    case .float16: 5
    case .float32: 6
    case .float64: 7
    case .bool: 11
    case .bfloat16: 15
    }
  }

  init?(scalarType: Int) {
    guard let type = DType.allCases.first(where: { $0.scalarType == scalarType }) else { return nil }
    self = type
  }
}
