import Foundation
import Torch

/// Finds the numbers that the original code made, `Tests/Golden`.
public enum Golden {
  /// `DDN_GOLDEN` for tests that were moved away from their sources.
  private static let folder =
    ProcessInfo.processInfo.environment["DDN_GOLDEN"].map { URL(filePath: $0) }
    ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Golden")

  static let isDeviceGiven = ProcessInfo.processInfo.environment["DDN_TEST_DEVICE"] != nil

  /// Where the layer, the networks and their training are tested: `DDN_TEST_DEVICE`, such as `cuda`; else the CPU.
  public static let device: Device = {
    let name = ProcessInfo.processInfo.environment["DDN_TEST_DEVICE"] ?? "cpu"
    guard let device = Device(name) else { fatalError("DDN_TEST_DEVICE=\(name): use cpu, cuda or cuda:1") }
    if device != .cpu {  // The original's numbers were computed without TF32.
      do { try LibTorch.tuneProcess() } catch { fatalError("\(error)") }
    }
    return device
  }()

  /// - Parameter path: below the folder, such as `A/torch_rand.safetensors`.
  public static func url(_ path: String) -> URL { folder.appending(path: path) }

  public static func safetensors(_ path: String) throws -> SafetensorsFile {
    try SafetensorsFile(contentsOf: url(path))
  }
}

extension SafetensorsFile {
  /// A tensor on the device under test.
  public func input(_ name: String) throws -> Tensor { try tensor(name).to(Golden.device) }
}
