import DDNFiles
import Foundation
import Torch

extension Model {
  /// Models that are part of this package, by name; their cards lie beside them. A package made smaller may lack some.
  public static let shippedNames = ["mnist", "mnist-k8-l3", "cifar10", "faces64"].filter { name in
    FileManager.default.fileExists(atPath: shippedURL(name).path)
  }

  /// Where a shipped model's file is.
  public static func shippedURL(_ name: String) -> URL {
    Bundle.module.bundleURL.appendingPathComponent("models/\(name).safetensors")
  }
}
