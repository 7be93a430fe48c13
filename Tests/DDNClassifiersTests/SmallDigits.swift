import DDNData
import DDNFiles
import Foundation
import Torch

@testable import DDNClassifiers

/// Shipped digits, a small network for them, and a folder for files.
enum SmallDigits {
  static let all = Result { try DigitDataset.shipped() }

  /// Digits from the start of the shipped ones, which are the training images of the command, and from their end.
  static func images(training: Int = 0, tests: Int = 0) throws -> ImageDataset {
    let digits = try all.get()
    if tests > 0 { return ImageDataset(digits.split(last: tests).tail) }
    return ImageDataset(digits.split(last: digits.count - training).head)
  }

  static func options(images: Int, batch: Int = 50, side: Int = 8, blurShare: Double = 0) -> ClassifierOptions {
    ClassifierOptions(
      classifier: ClassifierConfiguration(channels: 1, side: side, classes: 10, width: 4), images: images, batch: batch,
      blurShare: blurShare, seed: 3)
  }

  static func trainer(
    images: Int, batch: Int = 50, side: Int = 8, blurShare: Double = 0, of count: Int = 500
  ) throws -> ClassifierTrainer {
    try ClassifierTrainer(
      options(images: images, batch: batch, side: side, blurShare: blurShare),
      data: TrainingImages(self.images(training: count), device: .cpu))
  }

  static func folder() throws -> URL {
    let url = FileManager.default.temporaryDirectory.appending(path: "ddn-classifiers-\(UUID().uuidString)")
    try Folder.create(url)
    return url
  }
}
