import DDN
import Foundation

extension Model {
  /// The names of the trained models in this package; a smaller copy of the package may lack some.
  public static let shippedNames = [
    "mnist", "mnist-k2-l10", "mnist-k8-l3", "mnist-k8-l5", "mnist-k8-l10", "mnist-k64-l10", "cifar10", "faces64",
  ].filter { name in FileManager.default.fileExists(atPath: shippedURL(name).path) }

  /// The file of a shipped model.
  public static func shippedURL(_ name: String) -> URL {
    Bundle.module.bundleURL.appendingPathComponent("models/\(name).safetensors")
  }
}
