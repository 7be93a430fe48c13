import ArgumentParser
import Torch

/// Where a command computes.
struct MachineOptions: ParsableArguments {
  @Option(help: "Device: cpu, cuda or cuda:N.", transform: parseDevice)
  var device: Device?

  @Option(
    parsing: .unconditional,
    help: "Threads for one operation. Results may differ in the last bit between thread counts.",
    transform: wholeNumber(in: 1...1024))
  var threads: Int?

  @Option(help: "What convolutions compute in: float32, or bfloat16, which suits wide networks. (default: float32)")
  var precision: Precision?

  /// Sets the threads; gives the device, by default CUDA where there is one.
  ///
  /// - Throws: `UsageError` for a device that this machine does not have.
  ///
  /// - Parameter defaultThreads: for when the person says nothing; nil leaves it to libtorch.
  func start(threads defaultThreads: Int? = nil) throws -> Device {
    if let threads = threads ?? defaultThreads { try LibTorch.setThreadCount(threads) }
    if device == .cpu { return .cpu }  // Asking for others starts their driver.
    let devices = try Device.cudaCount()
    guard let device else { return devices > 0 ? .cuda(0) : .cpu }
    if case .cuda(let index) = device, index >= devices {
      throw UsageError("--device \(device): this libtorch sees \(devices) CUDA devices; use --device cpu")
    }
    return device
  }
}

extension Precision: ExpressibleByArgument {}

@Sendable private func parseDevice(_ text: String) throws -> Device {
  guard let device = Device(text) else { throw ValidationError("'\(text)' is not cpu, cuda or cuda:N") }
  return device
}
