import CTorch

/// Runs `body` without recording it for a backward pass, on this thread.
@discardableResult
public func withoutGradients<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
  let wasEnabled = ct_grad_enabled()
  ct_set_grad_enabled(false)
  defer { ct_set_grad_enabled(wasEnabled) }
  return try body()
}

/// The type that matrix products and convolutions compute in; weights, their sums and distances stay float32.
public enum Precision: String, Codable, Sendable, CaseIterable {
  case float32
  /// 8 bits of mantissa instead of 24; several times faster on some machines.
  case bfloat16
}

/// Runs `body` with matrix products and convolutions in a precision, on this thread.
///
/// - Throws: `TorchError` when the device does not support it; what `body` throws.
@discardableResult
public func withPrecision<R>(_ precision: Precision, on device: Device, _ body: () throws -> R) throws -> R {
  try withAutocast(precision == .bfloat16 ? .bfloat16 : nil, on: device, body)
}

/// Runs `body` with matrix products and convolutions in `dtype` (bfloat16 or float16), on this thread.
///
/// - Parameters:
///   - dtype: nil for float32, also within another call.
///   - device: whose operators are affected.
///   - body: runs in that type.
/// - Throws: `TorchError` when the device has no autocast for that type; what `body` throws.
public func withAutocast<R>(_ dtype: DType?, on device: Device, _ body: () throws -> R) throws -> R {
  var (wasEnabled, oldType) = (false, Int32(0))
  try check("autocast", ct_autocast(device.type, &wasEnabled, &oldType))
  try check("autocast", ct_set_autocast(device.type, dtype != nil, Int32(dtype?.scalarType ?? Int(oldType))))
  let result = Result(catching: body)
  if wasEnabled || dtype != nil {
    try check("autocast", ct_set_autocast(device.type, wasEnabled, oldType))
  }
  if !wasEnabled && dtype != nil { ct_clear_autocast_cache() }  // Weights change before the next call.
  return try result.get()
}

extension Tensor {
  /// Whether operations on this tensor are recorded for `backward()`.
  public var requiresGradient: Bool {
    var answer = false
    precondition(ct_requires_grad(handle, &answer) == 0)
    return answer
  }

  /// - Throws: `TorchError` for types that have no gradient, such as integers.
  public func setRequiresGradient(_ required: Bool) throws(TorchError) {
    try check("requires_grad_", ct_set_requires_grad(handle, required))
  }

  /// Accumulates the gradient of this tensor in every leaf that it was computed from.
  ///
  /// - Parameter gradient: the gradient of this tensor, of the same shape; nil only for a single element.
  public func backward(_ gradient: Tensor? = nil) throws(TorchError) {
    try withExtendedLifetime(gradient) { () throws(TorchError) in
      try check("backward", ct_backward(handle, gradient?.handle))
    }
  }

  /// A leaf's accumulated gradient; nil before the first `backward()`.
  public func gradient() throws(TorchError) -> Tensor? {
    var gradient: ct_tensor?
    try check("read a gradient", ct_gradient(handle, &gradient))
    return gradient.map(Tensor.init(owning:))
  }

  /// Replaces a leaf's gradient.
  ///
  /// - Parameter gradient: of the leaf's shape, type and device.
  public func setGradient(_ gradient: Tensor) throws(TorchError) {
    try withExtendedLifetime(gradient) { () throws(TorchError) in
      try check("set a gradient", ct_set_gradient(handle, gradient.handle))
    }
  }

  /// Clears the gradient and frees its memory.
  public func clearGradient() throws(TorchError) {
    try check("clear a gradient", ct_set_gradient(handle, nil))
  }
}
