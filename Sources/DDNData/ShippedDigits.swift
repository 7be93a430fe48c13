import DDNFiles
import Foundation

extension DigitDataset {
  /// The 10,000 test digits of MNIST that come with this package, in MNIST's order.
  ///
  /// - Throws: `FileError` when the package's resources were damaged or removed.
  public static func shipped(resize: Resize = .bilinear) throws(FileError) -> DigitDataset {
    let folder = Bundle.module.bundleURL.appendingPathComponent("mnist-test")
    return try DigitDataset(folder: folder, split: .test, resize: resize, name: "MNIST test")
  }
}
