import DDNFiles
import Foundation
import Torch

extension Model {
  /// Models that are part of this package, by name; their cards lie beside them.
  public static let shippedNames = ["mnist", "mnist-k8-l3"]

  /// Where a shipped model's file is.
  public static func shippedURL(_ name: String) -> URL {
    Bundle.module.bundleURL.appendingPathComponent("models/\(name).safetensors")
  }
}
