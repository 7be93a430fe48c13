import Archives
import DDNFiles
import Foundation
import Torch

/// A TorchScript module that returns features when its `forward` is called with `return_features=True`, such as NVIDIA's
/// `inception-2015-12-05.pt`.
///
/// It reads `[N, 3, H, W]` uint8 and resizes images itself. With 2048 features it is taken for Inception v3.
///
/// - Warning: Loading and calling a module runs the file's code: see `ScriptModule`.
public struct ScriptDetector: FeatureDetector {
  private static let flag = "return_features"
  /// The most pixel values in one call.
  private static let limit = 1 << 23

  private let module: ScriptModule
  private let device: Device
  private let path: String
  public let identity: DetectorIdentity
  public let featureCount: Int

  /// Loads the module and tries it.
  ///
  /// - Parameters:
  ///   - url: of the file.
  ///   - device: that computes the module.
  /// - Throws: `FileError` for a file that is no such module; `TorchError`.
  public init(contentsOf url: URL, device: Device = .cpu) throws {
    module = try ScriptModule(contentsOf: url, device: device)
    (self.device, path) = (device, url.path)
    let trial: [Int]
    do throws(TorchError) {
      trial = try module([.full([2, 3, 64, 64], 128, dtype: .uint8, device: device)], flag: Self.flag).shape
    } catch {
      throw FileError(
        .invalid, path: url.path, problem: "cannot be called as a detector (\(error.message))",
        remedy:
          "give a module whose forward(images, return_features) reads uint8 images, such as inception-2015-12-05.pt")
    }
    guard trial.count == 2, trial[0] == 2, trial[1] > 0 else {
      throw FileError(
        .invalid, path: url.path, problem: "gives \(trial) for 2 images, not [2, features]",
        remedy: "give a detector such as inception-2015-12-05.pt")
    }
    featureCount = trial[1]
    let isInception = featureCount == InceptionV3.featureCount
    identity = DetectorIdentity(
      name: isInception ? "Inception v3" : url.lastPathComponent,
      checksum: "script \(String(Checksum.crc32(try InputFile.map(url)), radix: 16))", isInception: isInception)
  }

  public func features(of pixels: Tensor) throws -> Tensor {
    let shape = pixels.shape
    let step = max(1, Self.limit / (3 * shape[2] * shape[3]))
    let colored = try pixels.to(device).expanded([-1, 3, -1, -1])
    let parts = try stride(from: 0, to: shape[0], by: step).map { first in
      let last = min(first + step, shape[0])
      let features = try module([colored.slice(0, first..<last).contiguous()], flag: Self.flag).to(.float32)
      guard features.shape == [last - first, featureCount] else {
        throw FileError(
          .invalid, path: path, problem: "gives \(features.shape) for \(last - first) images",
          remedy: "give a detector whose features do not depend on the images' size")
      }
      return features
    }
    return try parts.count == 1 ? parts[0] : .concatenate(parts)
  }
}
