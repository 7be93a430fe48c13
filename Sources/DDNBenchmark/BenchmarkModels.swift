import Foundation

/// Recurrent networks of the original's shape, trained on digits, to measure its work with weights that share paths as
/// trained ones do.
enum BenchmarkModels {
  /// - Parameter name: `mnist-recurrent` or `mnist-k8-l3-recurrent`.
  static func url(_ name: String) -> URL {
    Bundle.module.bundleURL.appendingPathComponent("models/\(name).safetensors")
  }
}
