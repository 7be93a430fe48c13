import ArgumentParser
import DDNClassifiers
import DDNData
import DDNFiles
import DDNTraining
import Foundation

struct Classifier: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train and evaluate classifiers, for class guides.",
    discussion: """
      A classifier reads the class of an image. The class guide chooses candidates by it, and evaluate tells how often \
      generated images are read as their class. Shipped: \(ResidualClassifier.shippedNames.joined(separator: ", ")).
      """,
    subcommands: [TrainClassifier.self, EvaluateClassifier.self])
}

/// Images with classes, and the names of the classes, if any.
struct ClassifiedImages {
  let images: ImageDataset
  let classNames: [String]?

  /// - Parameters:
  ///   - path: nil for the shipped digits.
  ///   - split: of data sets that have both.
  ///   - progress: called with the number of decoded images and their total.
  /// - Throws: `FileError` when they are missing or damaged, or have no classes.
  init(
    _ path: String?, split: DatasetSplit, resize: DigitDataset.Resize = TrainingDefaults.resize,
    cacheBytes: Int = ImageDataset.defaultCacheBytes, progress: (Int, Int) -> Void = { _, _ in }
  ) throws {
    if let path {
      let source = try openImages(URL(fileURLWithPath: path), split: split, resize: resize)
      images = try ImageDataset(source, cacheBytes: cacheBytes) { progress($0, source.count) }
      classNames = source.classNames
    } else {
      let digits = try TrainingOptions.shippedDigits(resize: resize)
      images = ImageDataset(split == .train ? digits.seen : digits.unseen)
      classNames = nil
    }
    guard images.labels != nil else {
      throw FileError(
        .invalid, path: path ?? images.name, problem: "has images without classes",
        remedy: "add a dataset.json or a folder per class: see ddn help dataset")
    }
  }
}
