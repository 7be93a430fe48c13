import CTorch

/// Runs `body` and calls `pulse` before every large operator in it, forward and backward, on this thread.
///
/// For progress of work that takes minutes, and a way to abandon it: when `pulse` returns false, the operator throws.
/// On CUDA the backward pass runs on another thread and makes no calls. Within another call both pulses are called.
///
/// - Parameters:
///   - pulse: must not use tensors.
///   - body: the work.
/// - Throws: `TorchError` when `pulse` has returned false; what `body` throws.
public func withPulse<R>(_ pulse: () -> Bool, _ body: () throws -> R) throws -> R {
  try withoutActuallyEscaping(pulse) { pulse in
    var nested = NestedPulse(pulse: pulse)
    return try withUnsafeMutablePointer(to: &nested) { nested in
      var context: UnsafeMutableRawPointer? = UnsafeMutableRawPointer(nested)
      var function: ct_pulse? = { $0!.assumingMemoryBound(to: NestedPulse.self).pointee() }
      ct_swap_pulse(&function, &context)
      (nested.pointee.outer, nested.pointee.outerContext) = (function, context)
      defer { ct_swap_pulse(&function, &context) }
      return try body()
    }
  }
}

/// A pulse within another one.
private struct NestedPulse {
  let pulse: () -> Bool
  var outer: ct_pulse?
  var outerContext: UnsafeMutableRawPointer?

  func callAsFunction() -> Bool { (outer.map { $0(outerContext) } ?? true) && pulse() }
}

/// Calls the pulse of `withPulse`, if any, for slow work on this thread outside libtorch.
///
/// - Throws: `TorchError` when the pulse returns false.
public func callPulse() throws(TorchError) {
  guard ct_call_pulse() else { throw TorchError(operation: "pulse", message: "abandoned") }
}
