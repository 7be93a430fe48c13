import CTorch

/// libtorch's process-wide state: version, threads, memory.
public enum LibTorch {
  /// The version of the libtorch in use, such as "2.13.0".
  public static var version: String { String(cString: ct_version()) }

  /// The instruction set of the kernels in use, in libtorch's words: "AVX512", "AVX2", "SVE256", "DEFAULT" and others.
  public static var cpuCapability: String { String(cString: ct_cpu_capability()) }

  /// The CUDA version that libtorch was built for, such as "13.0"; nil for a build without CUDA.
  ///
  /// - Throws: `TorchError` when libtorch does not know.
  public static func cudaVersion() throws(TorchError) -> String? {
    var version: Int32 = 0
    try check("CUDA version", ct_cuda_version(&version))
    return version == 0 ? nil : "\(version / 1000).\(version % 1000 / 10)"
  }

  /// Tunes libtorch for the whole process; for programs, not libraries. Call it before other threads use libtorch.
  ///
  /// - CPU tensors are allocated by mimalloc, where libCTorch was built with it. It keeps freed memory for the next
  ///   level or step, which saves a tenth of a training step.
  /// - TF32 is turned off in cuDNN's convolutions, so that float32 has 24 bits there, too. The golden tests' tolerances
  ///   on CUDA devices assume it.
  ///
  /// - Throws: `TorchError` when libtorch refuses.
  public static func tuneProcess() throws(TorchError) { try check("tune the process", ct_tune_process()) }

  /// The maximum number of threads per operator; results may differ in the last bit between thread counts.
  public static var threadCount: Int { Int(ct_thread_count()) }

  /// - Throws: `TorchError` when libtorch refuses the number.
  public static func setThreadCount(_ count: Int) throws(TorchError) {
    precondition(count > 0, "a thread count is at least 1, not \(count)")
    try check("set thread count", ct_set_thread_count(Int32(count)))
  }

  /// The peak memory of a CUDA device's tensors, in bytes.
  ///
  /// - Parameters:
  ///   - device: its CUDA index.
  ///   - resetting: first makes their current memory the peak.
  /// - Throws: `TorchError` where there is no such device.
  public static func peakCudaMemory(device: Int, resetting: Bool = false) throws(TorchError) -> Int {
    var bytes: Int64 = 0
    try check("peak memory", ct_cuda_peak_memory(Int32(device), resetting, &bytes))
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
