import DDN
import DDNFiles
import Foundation
import Torch

extension OriginalSnapshot {
  /// What a file does not say of its network.
  public struct Choices: Sendable, Equatable {
    /// Whether nodes add to the previous level's image; nil for the original's default, true for a pyramid and false for
    /// the MNIST network.
    public var learnsResidual: Bool?
    /// What the network is told; only for a state dictionary, the others say it.
    public var conditions: [ConditionKind]
    /// Levels of an MNIST network; nil for 10 of each U-Net, the original's default.
    public var levels: Int?
    /// What a pyramid's first level reads as the previous image, nil for zeros; only for a state dictionary, the others
    /// say it.
    public var initialImage: InitialImage?

    public init(
      learnsResidual: Bool? = nil, conditions: [ConditionKind] = [], levels: Int? = nil,
      initialImage: InitialImage? = nil
    ) {
      self.learnsResidual = learnsResidual
      self.conditions = conditions
      self.levels = levels
      self.initialImage = initialImage
    }
  }

  /// The network with its weights, its node statistics, and what is known of its training.
  ///
  /// - Throws: `FileError` (`invalid`) naming the first thing that fits no network; `TorchError` when memory is short.
  public func model(_ choices: Choices = Choices()) throws -> Model {
    let (configuration, network) = try configured(choices)
    var unused = Set(state.keys)
    try withoutGradients {
      for (name, tensor) in network.state().sorted(by: { $0.key < $1.key }) {
        guard let original = configuration.originalName(of: name) else {
          preconditionFailure("\(name) has no name in the original")
        }
        guard let found = state[original] else { throw refuse("has no tensor \(original)") }
        guard found.shape == tensor.shape, found.dtype == tensor.dtype || found.dtype.isWidened else {
          throw refuse(
            "\(original) is \(found.dtype.rawValue) \(found.shape) and should be \(tensor.dtype.rawValue) \(tensor.shape)"
          )
        }
        unused.remove(original)
        try tensor.copy(from: found.tensor())
      }
    }
    for name in unused.sorted() where try !isConstant(name) {
      throw refuse("has the tensor \(quoted(name)), which this network lacks")
    }
    try give(statistics, to: network, configuration)
    return Model(configuration: configuration, network: network, training: summary(network))
  }

  private func configured(
    _ choices: Choices
  ) throws -> (configuration: NetworkConfiguration, network: any DiscreteDistributionNetwork) {
    let configuration: NetworkConfiguration
    do throws(ImportProblem) {
      var choices = choices
      if kind != .stateDictionary {
        guard choices.conditions.isEmpty else {
          throw ImportProblem(
            "says itself what the network is conditioned on: \(condition.map { quoted($0) } ?? "nothing")",
            remedy: "leave out --condition")
        }
        guard choices.initialImage == nil || choices.initialImage == initialImage else {
          throw ImportProblem(
            "says itself what its first level reads: \(initialImage?.rawValue ?? "zeros")",
            remedy: "leave out --initial-image")
        }
        choices.initialImage = initialImage
        choices.conditions =
          try condition.map { (name) throws(ImportProblem) in
            guard let kind = ConditionKind(name) else {
              throw ImportProblem(
                "has a network on the condition \(quoted(name)), which no network here knows")
            }
            return [kind]
          } ?? []
      }
      configuration = try NetworkConfiguration(original: state, choices)
      let weightBytes = state.values.reduce(0) { $0 + $1.bytes.count / $1.dtype.size * DType.float32.size }
      do throws(ConfigurationError) { try configuration.checkSize(ofWeights: weightBytes) } catch {
        throw ImportProblem(error.description)
      }
    } catch {
      throw error.fileError(url.path)
    }
    return (configuration, try configuration.makeNetwork(generator: Generator(seed: 0)))
  }

  /// Whether a tensor of the original is no part of the weights: filters that double pixels, and what Split-and-Prune did
  /// in the last step.
  private func isConstant(_ name: String) throws -> Bool {
    let tensor = state[name]!
    if name.hasSuffix(".ddo.split_idxs") { return tensor.shape == [2] }
    guard name.hasSuffix(".resample_filter") else { return false }
    guard tensor.dtype == .float32 || tensor.dtype.isWidened, tensor.shape == [1, 1, 2, 2],
      try tensor.tensor().to(.float32).array() == [Float](repeating: 0.25, count: 4)
    else { throw refuse("\(quoted(name)) is not the filter that doubles pixels") }
    return true
  }

  private func give(
    _ statistics: [String: NodeStatistics], to network: any DiscreteDistributionNetwork,
    _ configuration: NetworkConfiguration
  ) throws {
    guard !statistics.isEmpty else { return }
    for (name, layer) in network.layers {
      let original = configuration.originalName(of: "\(name).weight")!.replacing(".multi_out_conv1x1.weight", with: "")
      guard let found = statistics[original], found.nodes == layer.configuration.nodes else {
        throw refuse("has no counters of \(layer.configuration.nodes) nodes for \(original)")
      }
      layer.statistics = found
    }
  }

  private func summary(_ network: any DiscreteDistributionNetwork) -> TrainingSummary? {
    guard let images else { return nil }
    return TrainingSummary(
      data: "unknown data (\(url.lastPathComponent) of the original program)", images: images, elapsedSeconds: 0,
      lossOfLevels: [],
      perplexityOfLayers: statistics.isEmpty ? [] : network.layers.map { $0.layer.statistics.perplexity })
  }

  private func refuse(_ problem: String) -> FileError { ImportProblem(problem).fileError(url.path) }
}

extension OriginalSnapshot {
  /// The types other than float32 that weights of the file have, which the model has as float32 of the same value.
  public var widenedTypes: [DType] {
    DType.allCases.filter { type in type.isWidened && state.values.contains { $0.dtype == type } }
  }
}

extension DType {
  /// Whether weights of this type become float32, without loss.
  fileprivate var isWidened: Bool { self == .float16 || self == .bfloat16 }
}

extension NetworkConfiguration {
  /// What the original calls a parameter.
  fileprivate func originalName(of name: String) -> String? {
    (architecture as? PyramidNetwork.Configuration).map { OriginalNames.pyramid(name, levels: $0.levels) }
      ?? OriginalNames.recurrent(name)
  }
}
