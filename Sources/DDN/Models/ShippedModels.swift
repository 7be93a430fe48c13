import DDNFiles
import Foundation
import Torch

extension Model {
  /// Names of the models in this package's resources; their model cards are beside them. A reduced package lacks some.
  public static let shippedNames = ["mnist", "mnist-k8-l3", "cifar10", "faces64"].filter { name in
    FileManager.default.fileExists(atPath: shippedURL(name).path)
  }

  /// The path of a shipped model's file.
  public static func shippedURL(_ name: String) -> URL {
    Bundle.module.bundleURL.appendingPathComponent("models/\(name).safetensors")
  }
}
