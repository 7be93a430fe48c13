import ArgumentParser
import DDNClassifiers
import DDNData
import DDNFiles
import DDNTraining
import DDNVision
import Foundation
import Torch

struct EvaluateClassifier: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Tell how often a classifier reads images as their class.",
    discussion: """
      Prints the accuracy, a line for each class, and how many images of it were read as each class. Images of \
      another size or other channels are converted. For generated images the class is the one that was asked for: \
      their folder or zip file needs a dataset.json or a folder per class.

      Examples:
        ddn classifier evaluate --classifier digits
        ddn classifier evaluate --classifier faces/classifier.safetensors --data test.zip
        ddn classifier evaluate --classifier smiles-judge --data generated/images
      """)

  @Option(
    help: .init(
      "A shipped classifier (\(ResidualClassifier.shippedNames.joined(separator: ", "))) or a .safetensors file.",
      valueName: "name|file"))
  var classifier: String

  @Option(help: "Images with classes; the test split of MNIST and CIFAR. (default: 1000 shipped test digits)")
  var data: String?

  @Option(help: "Resizing of 28x28 digits to 32x32: bilinear or padded. (default: \(TrainingDefaults.resize.rawValue))")
  var resize: DigitDataset.Resize?

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    let device = try machine.start()
    let reader = try ResidualClassifier(contentsOf: ResidualClassifier.url(of: classifier), device: device)
    let tests = try ClassifiedImages(data, split: .test, resize: resize ?? TrainingDefaults.resize, cacheBytes: 0)
    Terminal.printNotes(tests.images.notes)
    guard tests.images.classes <= reader.classes else {
      throw FileError(
        .invalid, path: data ?? tests.images.name,
        problem: "has \(tests.images.classes) classes, and the classifier \(reader.classes)",
        remedy: "give images of the classifier's classes, or another --classifier")
    }
    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    let matrix = try withPrecision(machine.precision ?? .float32, on: device) {
      try readClasses(of: tests.images, by: reader, device: device)
    }
    Terminal.print(
      "\(matrix.correct) of \(matrix.count) images are read as their class, \(formatNumber(matrix.accuracy * 100, digits: 2)) %"
    )
    for line in matrix.lines(names: reader.configuration.classNames ?? tests.classNames) { Terminal.print(line) }
  }
}

/// Classifies images with a progress line.
///
/// - Throws: `Interrupted` when the user stops it.
func readClasses(
  of images: ImageDataset, by classifier: any ImageClassifier, device: Device
) throws -> ConfusionMatrix {
  var progress = ProgressLine(total: images.count, unit: "images")
  defer { progress.clear() }
  let matrix = try ConfusionMatrix(of: images, by: classifier, device: device) { done in
    progress.show(done, "reading")
    return StopSignal.shouldContinue()
  }
  if matrix.count < images.count { throw Interrupted() }
  return matrix
}
