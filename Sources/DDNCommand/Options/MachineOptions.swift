import ArgumentParser
import Foundation
import Torch

/// Device, threads and precision of a command.
struct MachineOptions: ParsableArguments {
  @Option(help: "Device: cpu, cuda or cuda:N.", transform: parseDevice)
  var device: Device?

  @Option(
    parsing: .unconditional,
    help: "Threads per operation; results may differ in the last bit between thread counts.",
    transform: wholeNumber(in: 1...1024))
  var threads: Int?

  @Option(help: "Precision of convolutions: float32, or bfloat16, for wide networks. (default: float32)")
  var precision: Precision?

  /// The start of a command that works in one process.
  ///
  /// - Parameter defaultThreads: as of `prepare(threads:)`.
  /// - Throws: as `prepare(threads:)`; `UsageError` when torchrun or srun started several processes, which would all do
  ///   the whole job and write the same files.
  func start(threads defaultThreads: Int? = nil) throws -> Device {
    if let place = try ProcessGroupPlace(ProcessInfo.processInfo.environment), place.ranks > 1 {
      throw UsageError(
        "this command works in one process, but \(place.ranks) were started; start it without torchrun or srun: only "
          + "train, generate, reconstruct, guide, fid, evaluate and encode (without --evaluate) share their work")
    }
    return try prepare(threads: defaultThreads)
  }

  /// Sets the number of threads and returns the device, by default CUDA if available.
  ///
  /// - Parameter defaultThreads: without `--threads`; nil for libtorch's default.
  /// - Throws: `UsageError` for a device that this machine lacks.
  func prepare(threads defaultThreads: Int? = nil) throws -> Device {
    if let threads = threads ?? defaultThreads { try LibTorch.setThreadCount(threads) }
    if device == .cpu { return .cpu }  // Counting CUDA devices initializes the driver.
    let devices = try Device.cudaCount()
    guard let device else { return devices > 0 ? .cuda(0) : .cpu }
    if case .cuda(let index) = device, index >= devices {
      throw UsageError("--device \(device): this libtorch sees \(devices) CUDA devices; use --device cpu")
    }
    return device
  }

  /// This process's share of a job, and its device: joins its group, if any.
  ///
  /// - Throws: as `prepare(threads:)` and `join()`.
  func startShared() throws -> (share: SharedJob, device: Device) {
    guard let (group, device) = try join() else { return (SharedJob(group: nil), try prepare()) }
    return (SharedJob(group: group), device)
  }

  /// Joins the processes that torchrun or srun started with this one, and sets the number of threads: `--threads`, else
  /// `OMP_NUM_THREADS`, else the machine's cores divided by its ranks.
  ///
  /// - Returns: nil for a single process, which is then started by `prepare(threads:)`; else the group and this rank's
  ///   device, by default its own CUDA device if there is one for every rank of the machine.
  /// - Throws: `ProcessGroupError`; `UsageError` for a device that this machine lacks.
  func join() throws -> (group: ProcessGroup, device: Device)? {
    let environment = ProcessInfo.processInfo.environment
    guard let place = try ProcessGroupPlace(environment) else { return nil }
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let first = try prepare(threads: place.threads(environment, cores: cores))
    var device = first
    if self.device == nil, case .cuda = first {
      device = try Device.cudaCount() >= place.localRanks ? .cuda(place.localRank) : .cpu
    }
    // NCCL needs a device for every rank, which only the default ensures.
    let usesNCCL = self.device == nil && device != .cpu
    return (try ProcessGroup(place, usesNCCL: usesNCCL), device)
  }
}

extension Precision: ExpressibleByArgument {}

@Sendable private func parseDevice(_ text: String) throws -> Device {
  guard let device = Device(text) else { throw ValidationError("'\(text)' is not cpu, cuda or cuda:N") }
  return device
}
