import DDN
import DDNClassifiers
import DDNCodes
import DDNFiles
import DDNGuidance
import Foundation
import Torch

/// A model to serve.
public struct ModelSource: Sendable {
  /// As clients name it.
  public let name: String
  public let url: URL

  public init(name: String, url: URL) {
    self.name = name
    self.url = url
  }
}

/// A CLIP for guides of texts.
public struct CLIPSource: Sendable {
  /// A folder or file: see `CLIP`.
  public let weights: URL
  /// Nil for the one beside the weights.
  public let vocabulary: URL?

  public init(weights: URL, vocabulary: URL? = nil) {
    self.weights = weights
    self.vocabulary = vocabulary
  }
}

/// A loaded model with what belongs to it.
final class ServedModel {
  let name: String
  let network: any DiscreteDistributionNetwork
  let training: TrainingSummary?
  let prior: IntegerPrior?
  /// Of `.ddn` files: with the prior, if there is one, and without.
  let keys: [CodeFile.Key]
  /// Of the classes that images can be conditioned on or guided to; empty for none.
  let classNames: [String]
  private let setting: GuideKind.Setting
  private var classGuides: [Int: any PreparedGuide] = [:]

  /// - Throws: `FileError` when the model or its prior cannot be used or the model needs condition images; `TorchError`.
  init(_ source: ModelSource, device: Device) throws {
    let model = try Model(contentsOf: source.url, device: device)
    guard !model.network.conditions.contains(where: \.needsImages) else {
      throw FileError(
        .invalid, path: source.url.path, problem: "this model is conditioned on images, which the page has not",
        remedy: "use ddn generate --condition-image")
    }
    name = source.name
    network = model.network
    training = model.training
    setting = GuideKind.Setting(imageShape: model.network.imageShape, device: device)
    let fingerprint = try model.fingerprint()
    let beside = IntegerPrior.url(besides: source.url)
    prior =
      FileManager.default.fileExists(atPath: beside.path)
      ? try IntegerPrior(contentsOf: beside, space: model.network.codeSpace, fingerprint: fingerprint) : nil
    keys = (prior.map { [$0, nil] } ?? [nil]).map { prior in
      CodeFile.Key(
        space: model.network.codeSpace, classes: model.network.classes, prior: prior, modelFingerprint: fingerprint)
    }
    let names =
      ResidualClassifier.shippedName(forImagesOf: model.network.imageShape) == nil
      ? [] : try ClassGuide.classNames(of: nil, for: setting)
    let classes = model.network.classes
    classNames = classes == 0 || names.count == classes ? names : (0..<classes).map(String.init)
  }

  /// Whether a class is a condition of the network; otherwise a classifier guides to it.
  var isConditional: Bool { network.classes > 0 }

  /// - Throws: `RequestError` when the model has no such class, or none is given and it needs one.
  func check(classIndex: Int?) throws {
    guard isConditional else {
      guard classIndex == nil else { throw RequestError.unfit("this model has no classes; leave out class") }
      return
    }
    guard let classIndex, (0..<network.classes).contains(classIndex) else {
      throw RequestError.unfit("this model needs a class within 0...\(network.classes - 1)")
    }
  }

  /// A classifier's guide to a class.
  ///
  /// - Throws: `RequestError` when there is no classifier or class.
  func guide(toClass number: Int) throws -> any PreparedGuide {
    if let guide = classGuides[number] { return guide }
    guard classNames.indices.contains(number) else {
      throw RequestError.unfit(
        classNames.isEmpty
          ? "no classifier of this program is for images of this model"
          : "a class of this model is within 0...\(classNames.count - 1)")
    }
    let guide = try GuideKind.named("class")!.prepare(GuideArguments("class:\(number)"), for: setting)
    classGuides[number] = guide
    return guide
  }

  /// `[count]` int64 classes on the network's device, as a condition.
  func condition(classIndex: Int?, count: Int) throws -> Condition {
    let classes = try classIndex.map { try Tensor([$0], shape: [1]).to(network.device).expanded([count]) }
    return network.condition(classes: classes, sources: nil)
  }
}
