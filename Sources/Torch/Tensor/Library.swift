import CTorch

/// libtorch as a whole: its version, threads and failures.
public enum Torch {
  /// The version of the libtorch in use, such as "2.13.0".
  public static var version: String { String(cString: ct_version()) }

  /// Threads that one operator may use; results may differ in the last bit between thread counts.
  public static var threadCount: Int { Int(ct_thread_count()) }

  /// - Throws: `TorchError` when libtorch refuses the number.
  public static func setThreadCount(_ count: Int) throws(TorchError) {
    precondition(count > 0, "a thread count is at least 1, not \(count)")
    try check("set thread count", ct_set_thread_count(Int32(count)))
  }

  /// The most bytes that tensors on a CUDA device have held at once.
  ///
  /// - Parameter forgetting: makes what they hold now the most.
  /// - Throws: `TorchError` where there is no such device.
  public static func peakCudaMemory(device: Int, forgetting: Bool = false) throws(TorchError) -> Int {
    var bytes: Int64 = 0
    try check("peak memory", ct_cuda_peak_memory(Int32(device), forgetting, &bytes))
    return Int(bytes)
  }
}

/// Turns a status of the C interface into a thrown error.
func check(_ operation: @autoclosure () -> String, _ status: Int32) throws(TorchError) {
  guard status == 0 else {
    let message = String(cString: ct_error_message())
    let firstLine = message.split(separator: "\n").first.map(String.init) ?? message
    throw TorchError(operation: operation(), message: firstLine)
  }
}
