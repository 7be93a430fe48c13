import ArgumentParser
import DDNClassifiers
import DDNEvaluation
import DDNFiles
import DDNVision
import Foundation
import Torch

/// How nearness of images is measured.
struct NeighbourMeasure: ParsableArguments {
  enum Kind: String, CaseIterable, ExpressibleByArgument {
    case l2, classifier, lpips
  }

  @Option(help: "l2, classifier or lpips. (default: classifier where a shipped one fits the images, otherwise l2)")
  var by: Kind?

  @Option(
    help: .init(
      "A classifier of ddn classifier train, or a shipped one. (default: the one for images of the shape)",
      valueName: "name|file"), completion: .file())
  var classifier: String?

  @Option(help: "LPIPS: weights of torchvision's AlexNet or VGG-16, or of the whole lpips.LPIPS.", completion: .file())
  var weights: String?

  @Option(help: "LPIPS: its linear weights, alex.pth or vgg.pth of the lpips package.", completion: .file())
  var linear: String?

  /// A measure that is ready to use.
  struct Prepared {
    let measure: Kind
    /// Images to vectors.
    let features: NeighbourSearch.Features
    /// What the distance of two vectors stands for.
    let unit: String
    /// The reported distance of a Euclidean one.
    let reported: (Double) -> Double
  }

  func validate() throws {
    if classifier != nil, by == .l2 || by == .lpips {
      throw ValidationError("--classifier is for --by classifier, not \(by!.rawValue)")
    }
    if weights != nil || linear != nil, by != .lpips {
      throw ValidationError("--weights and --linear are for --by lpips")
    }
    if by == .lpips, weights == nil {
      throw ValidationError("--by lpips needs --weights, such as alexnet.pth, and --linear, such as alex.pth")
    }
  }

  var identity: String {
    [by?.rawValue ?? "", classifier ?? "", weights ?? "", linear ?? ""].joined(separator: "\n")
  }

  /// - Throws: `FileError` for weights, and `UsageError` when no classifier fits.
  func prepare(forImagesOf shape: [Int], device: Device) throws -> Prepared {
    let shipped = ResidualClassifier.shippedName(forImagesOf: shape)
    switch by ?? (classifier ?? shipped == nil ? .l2 : .classifier) {
    case .l2:
      return Prepared(
        measure: .l2, features: NeighbourSearch.pixels, unit: "root mean squared difference in gray levels, 0 to 255",
        reported: { $0 })
    case .classifier:
      guard let name = classifier ?? shipped else {
        throw UsageError(
          "--by classifier: no shipped one is for images of \(shape[1]) x \(shape[2]); give --classifier, or --by l2")
      }
      let network = try ResidualClassifier(contentsOf: ResidualClassifier.url(of: name), device: device)
      return Prepared(
        measure: .classifier, features: network.features, unit: "Euclidean distance of features of classifier \(name)",
        reported: { $0 })
    case .lpips:
      let lpips = try LPIPS(
        StateDictionary(contentsOf: URL(fileURLWithPath: weights!)),
        linear: linear.map { try StateDictionary(contentsOf: URL(fileURLWithPath: $0)) }, device: device)
      return Prepared(measure: .lpips, features: lpips.embeddings, unit: "LPIPS", reported: { $0 * $0 })
    }
  }
}
