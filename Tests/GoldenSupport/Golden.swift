import Foundation
import Torch

/// The original program's results in `Tests/Golden`.
public enum Golden {
  /// `DDN_GOLDEN` when tests run apart from their sources.
  private static let folder =
    ProcessInfo.processInfo.environment["DDN_GOLDEN"].map { URL(filePath: $0) }
    ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Golden")

  static let isDeviceGiven = ProcessInfo.processInfo.environment["DDN_TEST_DEVICE"] != nil

  /// The device under test: `DDN_TEST_DEVICE`, such as `cuda`, or the CPU.
  public static let device: Device = {
    let name = ProcessInfo.processInfo.environment["DDN_TEST_DEVICE"] ?? "cpu"
    guard let device = Device(name) else { fatalError("DDN_TEST_DEVICE=\(name): use cpu, cuda or cuda:1") }
    // The golden numbers are without TF32.
    if device != .cpu { do { try LibTorch.tuneProcess() } catch { fatalError("\(error)") } }
    return device
  }()

  /// - Parameter path: relative to the folder, such as `A/torch_rand.safetensors`.
  public static func url(_ path: String) -> URL { folder.appending(path: path) }

  public static func safetensors(_ path: String) throws -> SafetensorsFile {
    try SafetensorsFile(contentsOf: url(path))
  }
}

extension SafetensorsFile {
  /// A tensor on the device under test.
  public func input(_ name: String) throws -> Tensor { try tensor(name).to(Golden.device) }
}
