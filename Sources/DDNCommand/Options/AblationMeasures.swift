import ArgumentParser
import DDN
import DDNAblation
import DDNClassifiers
import DDNData
import DDNEvaluation
import DDNFiles
import DDNTraining
import DDNVision
import Foundation
import Torch

/// What `ddn ablate` measures of every run.
struct AblationMeasures: ParsableArguments {
  @Option(
    help:
      "Test images, the test split of MNIST and CIFAR. (default: the test split of --data, or 1,000 shipped digits)",
    completion: .file())
  var test: String?

  @Option(
    parsing: .unconditional,
    help: """
      Test images and training images at most, and random codes, that a run is measured by; a seeded subset of more. \
      Distances of other numbers do not compare. (default: \(defaultCount))
      """,
    transform: wholeNumber(in: 2...10_000_000))
  var count = Self.defaultCount

  @Option(
    help: .init(
      "\(DetectorOption.kinds), or none. (default: the shipped one for images of the shape)",
      valueName: "name|file|none"),
    completion: .file())
  var detector: String?

  private static let defaultCount = 10_000

  /// The images that all runs are measured on.
  ///
  /// - Parameters:
  ///   - training: the data set.
  ///   - path: its path; nil for the shipped digits.
  ///   - resize: of digits.
  ///   - network: that takes the images.
  ///   - device: of the networks.
  func images(
    beside training: ImageDataset, path: String?, resize: DigitDataset.Resize, network: NetworkConfiguration,
    device: Device
  ) throws -> AblationImages {
    let others = try loadTest(beside: training, path: path, resize: resize)
    if let others {
      try network.check(others, path: test ?? others.name, as: .reconstructing)
    } else {
      Terminal.printError(
        "note: \(training.name) has no test split: reconstructions are of training images alone; others: --test")
    }
    return try AblationImages(training: training, test: others, count: count, device: device)
  }

  private func loadTest(
    beside training: ImageDataset, path: String?, resize: DigitDataset.Resize
  ) throws -> ImageDataset? {
    if let test {
      let source = try openImages(URL(fileURLWithPath: test), split: .test, resize: resize)
      Terminal.printNotes(source.notes)
      return try ImageDataset(source, cacheBytes: 0)
    }
    guard let path else { return ImageDataset(try TrainingOptions.shippedDigits(resize: resize).unseen) }
    return try AblationImages.testSplit(beside: training) {
      try openImages(URL(fileURLWithPath: path), split: $0, resize: resize)
    }
  }

  /// The detector of Frechet distances; nil for none.
  func loadDetector(for network: NetworkConfiguration, device: Device) throws -> (any FeatureDetector)? {
    if detector == "none" { return nil }
    if let detector { return try openDetector(detector, device: device) }
    let shape = network.imageShape
    guard let name = ResidualClassifier.shippedName(forImagesOf: shape) else {
      throw UsageError(
        "no shipped classifier is for images of \(shape[1]) x \(shape[2]); give --detector, or --detector none")
    }
    return try openDetector(name, device: device)
  }
}
