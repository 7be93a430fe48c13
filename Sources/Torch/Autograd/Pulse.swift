import CTorch

/// Runs `body` and calls `pulse` before every large operator in it, forward and backward, on this thread.
///
/// For progress of work that takes minutes, and a way to abandon it: when `pulse` returns false, the operator throws.
/// On CUDA the backward pass runs on another thread and makes no calls.
///
/// - Parameters:
///   - pulse: must not use tensors.
///   - body: the work.
/// - Throws: `TorchError` when `pulse` has returned false; what `body` throws.
public func withPulse<R>(_ pulse: () -> Bool, _ body: () throws -> R) throws -> R {
  try withoutActuallyEscaping(pulse) { pulse in
    var pulse = pulse
    return try withUnsafeMutablePointer(to: &pulse) { pointer in
      ct_set_pulse({ $0!.assumingMemoryBound(to: (() -> Bool).self).pointee() }, pointer)
      defer { ct_set_pulse(nil, nil) }
      return try body()
    }
  }
}

/// Calls the pulse of `withPulse`, if any, for slow work on this thread outside libtorch.
///
/// - Throws: `TorchError` when the pulse returns false.
public func callPulse() throws(TorchError) {
  guard ct_call_pulse() else { throw TorchError(operation: "pulse", message: "abandoned") }
}
