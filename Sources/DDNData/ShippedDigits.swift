import DDNFiles
import Foundation

extension DigitDataset {
  /// The bundled MNIST test set: 10,000 digits in MNIST's order.
  ///
  /// - Throws: `FileError` when the package's resources are damaged or missing.
  public static func shipped(resize: Resize = .bilinear) throws(FileError) -> DigitDataset {
    let folder = Bundle.module.bundleURL.appendingPathComponent("mnist-test")
    return try DigitDataset(folder: folder, split: .test, resize: resize, name: "MNIST test")
  }
}
