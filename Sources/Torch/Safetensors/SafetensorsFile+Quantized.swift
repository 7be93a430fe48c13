import DDNFiles

// Matrices as bytes: a row of weights w is stored as round(w / s), with its scale s = max |w| / 127 beside it.

extension SafetensorsFile {
  /// Smaller tensors stay as they are: their scales and rounding would cost more than they save.
  private static let smallestQuantized = 4_096
  private static let largestByte = 127.0

  /// The name of the scales of a tensor stored as bytes, `[rows]` float32.
  static func scaleName(_ name: String) -> String { name + ".scale" }

  /// Matrices and larger tensors as int8 with a scale for each index of their first dimension, all others as float16.
  ///
  /// Reading the file gives float32 tensors of the same names, which differ by at most half a scale.
  ///
  /// - Parameter tensors: float32 by name, finite.
  public static func quantized(_ tensors: [String: Tensor]) throws(TorchError) -> [String: Tensor] {
    var stored: [String: Tensor] = [:]
    for (name, tensor) in tensors {
      guard tensor.shape.count > 1, tensor.count >= smallestQuantized else {
        stored[name] = try tensor.to(.float16)
        continue
      }
      let rows = try tensor.reshaped([tensor.shape[0], -1])
      // A row of zeros needs a scale that is not zero.
      let scales = try (rows.absolute().maximum([1]) * (1 / largestByte)).clamped(1e-30...Double.infinity)  // [rows]
      let bytes = try (rows / scales.reshaped([-1, 1])).rounded().clamped(-largestByte...largestByte)
      stored[name] = try bytes.to(.int8).reshaped(tensor.shape)
      stored[scaleName(name)] = scales
    }
    return stored
  }

  /// Whether a tensor is stored as bytes with valid scales.
  func isQuantized(_ name: String) -> Bool {
    guard let entry = entries[name], let scales = entries[Self.scaleName(name)] else { return false }
    return entry.dtype == .int8 && scales.dtype == .float32 && entry.shape.count > 1
      && scales.shape == [entry.shape[0]]
  }

  /// A tensor, float32 if it is stored as bytes.
  func dequantizedTensor(_ name: String) throws -> Tensor {
    let tensor = try tensor(name)
    guard isQuantized(name) else { return tensor }
    let scales = try self.tensor(Self.scaleName(name)).reshaped([-1, 1])
    return try (tensor.to(.float32).reshaped([tensor.shape[0], -1]) * scales).reshaped(tensor.shape)
  }
}
