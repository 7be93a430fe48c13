import DDN
import Foundation
import GoldenSupport
import Torch

/// One file of `C`: a layer's inputs and the original's outputs.
struct GoldenLayer {
  struct Settings: Decodable {
    let nodes, imageChannels, featureChannels, samples: Int
    let leaksChoice, learnsResidual, isAbsolute, resizesByArea: Bool

    enum CodingKeys: String, CodingKey {
      case nodes = "K"
      case imageChannels = "predict_c"
      case featureChannels = "last_c"
      case samples = "b"
      case leaksChoice = "leak_choice"
      case learnsResidual = "learn_residual"
      case isAbsolute = "l1_loss"
      case resizesByArea = "resize_area"
    }
  }

  let file: SafetensorsFile
  let settings: Settings
  let layer: DiscreteDistributionLayer
  let target: Target
  /// `[B, featureChannels, H, W]`, a leaf.
  let features: Tensor
  /// `[B, C, h, w]`, a leaf; nil for a first layer.
  let previous: Tensor?

  init(_ name: String) throws {
    file = try Golden.safetensors("C/\(name).safetensors")
    settings = try JSONDecoder().decode(Settings.self, from: Data((file.metadata["meta"] ?? "").utf8))
    layer = try DiscreteDistributionLayer(
      .init(
        nodes: settings.nodes, imageChannels: settings.imageChannels, featureChannels: settings.featureChannels,
        leaksChoice: settings.leaksChoice, learnsResidual: settings.learnsResidual),
      generator: Generator(seed: 0))
    try layer.move(to: Golden.device)
    let golden = try file.tensor("param.multi_out_conv1x1.weight")
    let weight = layer.weight.tensor
    try withoutGradients { try weight.copy(from: golden) }
    target = Target(try file.input("in.target"), resizing: settings.resizesByArea ? .area : .bilinear)
    features = try file.input("in.feat_last")
    previous = file.entries["in.predict"] == nil ? nil : try file.input("in.predict")
    try features.setRequiresGradient(true)
    try previous?.setRequiresGradient(true)
  }

  var measure: NodeDistances.Measure { settings.isAbsolute ? .absolute : .squared }
  var nearest: NearestChooser { NearestChooser(target, measure: measure) }

  /// A level's codes for `GivenChooser`: `[B]`.
  func codes(_ codes: [Int]) throws -> Tensor { try Tensor(codes, shape: [codes.count]).to(Golden.device) }

  /// The layer's output with a row per image.
  func run(_ chooser: any Chooser) throws -> LevelOutput {
    try layer(
      level: 0, features: features, previous: previous, paths: .separate(samples: settings.samples), chooser: chooser)
  }

  /// Deviations of images and leaked choice from a section of the file.
  func deviation(of output: LevelOutput, in section: String) throws -> Double {
    let images = try file.deviation(of: output.images, from: "\(section).predict")
    guard section != "float", let leak = output.leakedChoice else { return images }
    return max(images, try file.deviation(of: leak, from: "\(section).feat_leak"))
  }

  /// `[B]` losses of the output against the target.
  func losses(_ output: LevelOutput) throws -> Tensor {
    try output.losses(to: target, measure: measure)
  }
}

/// Chooses the nearest image by distances of a given form, and stores all K images.
final class FormChooser: Chooser {
  private let target: Target
  private let form: NodeDistances.Form
  private let measure: NodeDistances.Measure
  private(set) var images: Tensor?

  init(_ target: Target, _ form: NodeDistances.Form, measure: NodeDistances.Measure = .squared) {
    self.target = target
    self.measure = measure
    self.form = form
  }

  func choose(from candidates: Candidates) throws -> Choice {
    images = try candidates.images()
    let distances = try candidates.distances(to: target, measure: measure, form: form)
    return Choice(codes: try distances.argmin(1), distances: distances)
  }
}

/// A module that contains one layer, so that it has a name.
final class LayerHolder: Module {
  let nodes: DiscreteDistributionLayer
  init(_ nodes: DiscreteDistributionLayer) { self.nodes = nodes }
}
