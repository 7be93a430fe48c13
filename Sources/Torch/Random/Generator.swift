import CTorch

/// A seeded random number generator on a device; its state can be saved and restored.
public final class Generator {
  let handle: ct_generator
  public let device: Device

  /// - Throws: `TorchError` when there is no such device.
  public init(seed: UInt64, device: Device = .cpu) throws(TorchError) {
    var made: ct_generator?
    try check("make a generator", ct_generator_make(device.type, device.index, seed, &made))
    handle = made!
    self.device = device
  }

  deinit { ct_generator_free(handle) }

  /// The whole state, `[bytes]` uint8; opaque.
  public func state() throws(TorchError) -> Tensor {
    var state: ct_tensor?
    try check("read a generator's state", ct_generator_state(handle, &state))
    return Tensor(owning: state!)
  }

  /// - Throws: `TorchError` when `state` is not a state of a generator on this kind of device.
  public func setState(_ state: Tensor) throws(TorchError) {
    try withExtendedLifetime(state) { () throws(TorchError) in
      try check("set a generator's state", ct_generator_set_state(handle, state.handle))
    }
  }
}
