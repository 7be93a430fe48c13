import DDN
import DDNClassifiers
import DDNVision
import Torch

/// The log-probability that a classifier gives a class.
///
/// Source: the original's sampler for CIFAR-10, which compares probabilities; their order is the same.
public struct ClassGuide: ImageGuide {
  /// The class that each image of a batch is guided to.
  public enum Goal: Equatable, Sendable {
    /// `[B]` class numbers, or one for all images.
    case classes([Int])
    /// The class of which the classifier is most certain, for each candidate.
    case mostCertain
  }

  private let classifier: any ImageClassifier
  private let goal: Goal

  /// - Parameters:
  ///   - classifier: on the network's device.
  ///   - goal: its class numbers are within `0..<classifier.classes`.
  public init(_ classifier: any ImageClassifier, goal: Goal) {
    if case .classes(let numbers) = goal {
      precondition(numbers.allSatisfy { (0..<classifier.classes).contains($0) }, "a class is out of range")
    }
    self.classifier = classifier
    self.goal = goal
  }

  public func scores(ofImages images: Tensor, paths: SharedPaths) throws -> Tensor {
    let shape = images.shape  // [R, n, C, h, w]
    let logits = try classifier.logits(of: images.reshaped([shape[0] * shape[1]] + shape[2...]))
    let ofClasses = try logits.logSoftmax(1).reshaped([shape[0], shape[1], classifier.classes])
    switch goal {
    case .mostCertain:
      return try paths.perSample(ofClasses.maximum([2]))
    case .classes(let numbers) where Set(numbers).count == 1:
      return try paths.perSample(ofClasses.select(2, numbers[0]))
    case .classes(let numbers):
      let places = try Tensor(numbers, shape: [numbers.count, 1, 1]).to(images.device).expanded([-1, shape[1], 1])
      return try paths.perSample(ofClasses).picked(places, dimension: 2).reshaped([numbers.count, shape[1]])
    }
  }
}

extension ClassGuide {
  /// The names of a classifier's classes, or their numbers if it has no names.
  ///
  /// - Parameters:
  ///   - nameOrPath: a shipped classifier or a file; nil for the shipped one that fits the network.
  ///   - setting: of the network.
  /// - Throws: `GuideError` when none fits; `FileError` when the file cannot be used.
  public static func classNames(of nameOrPath: String?, for setting: GuideKind.Setting) throws -> [String] {
    let classifier = try PreparedClassGuide.classifier(nameOrPath, GuideArguments("class"), setting)
    return (classifier as? ResidualClassifier)?.configuration.classNames ?? (0..<classifier.classes).map(String.init)
  }
}

extension GuideKind {
  static let classNumber = GuideKind(
    "class", summary: "a class, as a classifier reads it", example: "class:7",
    value: "a class number or name, seed (each image's seed modulo the number of classes), or any (the most certain)",
    options: [
      (
        "classifier",
        "a file of ddn classifier train or of a ResNet-18, or \(ResidualClassifier.shippedNames.joined(separator: ", ")); by default the shipped one "
          + "of the network's image shape"
      )
    ], top: .fraction(0.1)
  ) { arguments, setting in
    let classifier = try PreparedClassGuide.classifier(arguments.option("classifier"), arguments, setting)
    guard let value = arguments.value() else {
      throw arguments.error("needs a class, such as class:1, or class:seed or class:any")
    }
    return PreparedClassGuide(classifier, try PreparedClassGuide.goal(value, of: classifier, arguments))
  }
}

/// A class guide before its first batch.
private struct PreparedClassGuide: PreparedGuide {
  enum Goal {
    case one(Int)
    case bySeed
    case mostCertain
  }

  private let classifier: any ImageClassifier
  private let goal: Goal

  init(_ classifier: any ImageClassifier, _ goal: Goal) {
    self.classifier = classifier
    self.goal = goal
  }

  func guide(for batch: GuideBatch) -> any Guide {
    switch goal {
    case .one(let number): ClassGuide(classifier, goal: .classes([number]))
    case .bySeed:
      ClassGuide(classifier, goal: .classes(classes(for: batch)!))
    case .mostCertain: ClassGuide(classifier, goal: .mostCertain)
    }
  }

  var classCount: Int? { classifier.classes }

  func classes(for batch: GuideBatch) -> [Int]? {
    switch goal {
    case .one(let number): batch.seeds.map { _ in number }
    case .bySeed: batch.seeds.map { Int($0 % UInt64(classifier.classes)) }
    case .mostCertain: nil
    }
  }

  /// A file's classifier, or the shipped one for the images; weights of torchvision's kind are recognized here.
  static func classifier(
    _ nameOrPath: String?, _ arguments: GuideArguments, _ setting: GuideKind.Setting
  ) throws -> any ImageClassifier {
    guard let name = nameOrPath ?? ResidualClassifier.shippedName(forImagesOf: setting.imageShape) else {
      let (channels, side) = (setting.imageShape[0] == 1 ? "gray" : "RGB", setting.imageShape[1])
      throw arguments.error(
        "no shipped classifier is for \(channels) images of \(side) x \(side) pixels; give one with classifier=, which "
          + "ddn classifier train makes")
    }
    let url = try ResidualClassifier.url(of: name)
    let isOther =
      try url.pathExtension != "safetensors" || SafetensorsFile(contentsOf: url).entries["conv1.weight"] != nil
    return isOther
      ? try ResNet18(StateDictionary(contentsOf: url), device: setting.device)
      : try ResidualClassifier(contentsOf: url, device: setting.device)
  }

  /// The meaning of a guide's value.
  static func goal(
    _ value: String, of classifier: any ImageClassifier, _ arguments: GuideArguments
  ) throws(GuideError) -> Goal {
    let names = (classifier as? ResidualClassifier)?.configuration.classNames
    switch value {
    case "seed": return .bySeed
    case "any": return .mostCertain
    default:
      if let number = Int(value) ?? names?.firstIndex(of: value), (0..<classifier.classes).contains(number) {
        return .one(number)
      }
      let known = names.map { " or one of " + $0.prefix(20).joined(separator: ", ") } ?? ""
      throw arguments.error(
        "'\(value)' is no class of the classifier; give a number within 0...\(classifier.classes - 1)\(known), or seed, "
          + "or any")
    }
  }
}
