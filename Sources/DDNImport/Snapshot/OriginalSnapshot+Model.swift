import DDN
import DDNFiles
import Foundation
import Torch

extension OriginalSnapshot {
  /// Properties of a network that its file does not hold.
  public struct Choices: Sendable, Equatable {
    /// Whether nodes add to the previous level's image; nil for the original's default: true for pyramids, false for
    /// the MNIST network.
    public var learnsResidual: Bool?
    /// Only for a state dictionary.
    public var conditions: [ConditionKind]
    /// Levels of an MNIST network; nil for the original's default, 10 per U-Net.
    public var levels: Int?
    /// The previous image of a pyramid's first level, nil for zeros; only for a state dictionary.
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

  /// The network with its weights, node statistics and training summary.
  ///
  /// - Throws: `FileError` (`invalid`) naming the first unsupported part; `TorchError` when out of memory.
  public func model(_ choices: Choices = Choices()) throws -> Model {
    let (configuration, network) = try configured(choices)
    var unused = Set(state.keys)
    try withoutGradients {
      for (name, tensor) in network.state().sorted(by: { $0.key < $1.key }) {
        guard let original = configuration.originalName(of: name) else {
          preconditionFailure("\(name) has no name in the original")
        }
        guard let found = state[original] else { throw invalid("has no tensor \(original)") }
        guard found.shape == tensor.shape, found.dtype == tensor.dtype || found.dtype.isWidened else {
          throw invalid(
            "\(original) is \(found.dtype.rawValue) \(found.shape), not \(tensor.dtype.rawValue) \(tensor.shape)")
        }
        unused.remove(original)
        try tensor.copy(from: found.tensor())
      }
    }
    for name in unused.sorted() where try !isConstant(name) {
      throw invalid("has the unknown tensor \(quoted(name))")
    }
    try setStatistics(of: network, configuration)
    return Model(configuration: configuration, network: network, training: summary(network))
  }

  private func configured(
    _ choices: Choices
  ) throws -> (configuration: NetworkConfiguration, network: any DiscreteDistributionNetwork) {
    let configuration: NetworkConfiguration
    do throws(ImportError) {
      var choices = choices
      if kind != .stateDictionary {
        guard choices.conditions.isEmpty else {
          throw ImportError(
            "already defines its condition: \(condition.map { quoted($0) } ?? "none")", remedy: "remove --condition")
        }
        guard choices.initialImage == nil || choices.initialImage == initialImage else {
          throw ImportError(
            "already defines its initial image: \(initialImage?.rawValue ?? "zeros")",
            remedy: "remove --initial-image")
        }
        choices.initialImage = initialImage
        choices.conditions =
          try condition.map { (name) throws(ImportError) in
            guard let kind = ConditionKind(name) else {
              throw ImportError("has the unsupported condition \(quoted(name))")
            }
            return [kind]
          } ?? []
      }
      configuration = try NetworkConfiguration(original: state, choices)
      let weights = state.values.reduce(0) { $0 + $1.bytes.count / $1.dtype.size }
      do throws(ConfigurationError) { try configuration.check(weights: weights) } catch {
        throw ImportError(error.description)
      }
    } catch {
      throw error.fileError(url.path)
    }
    return (configuration, try configuration.makeNetwork(generator: Generator(seed: 0)))
  }

  /// Whether a tensor is not a weight: the nearest-neighbour upsampling filter, or the last split's node indices.
  private func isConstant(_ name: String) throws -> Bool {
    let tensor = state[name]!
    if name.hasSuffix(".ddo.split_idxs") { return tensor.shape == [2] }
    guard name.hasSuffix(".resample_filter") else { return false }
    guard tensor.dtype == .float32 || tensor.dtype.isWidened, tensor.shape == [1, 1, 2, 2],
      try tensor.tensor().to(.float32).array() == [Float](repeating: 0.25, count: 4)
    else { throw invalid("\(quoted(name)) is not the nearest-neighbour upsampling filter") }
    return true
  }

  private func setStatistics(
    of network: any DiscreteDistributionNetwork, _ configuration: NetworkConfiguration
  ) throws {
    guard !statistics.isEmpty else { return }
    for (name, layer) in network.layers {
      let original = configuration.originalName(of: "\(name).weight")!.replacing(".multi_out_conv1x1.weight", with: "")
      guard let found = statistics[original], found.nodes == layer.configuration.nodes else {
        throw invalid("has no counters of \(layer.configuration.nodes) nodes for \(original)")
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

  private func invalid(_ problem: String) -> FileError { ImportError(problem).fileError(url.path) }
}

extension OriginalSnapshot {
  /// Half-precision types of the file's weights, which become float32.
  public var widenedTypes: [DType] {
    DType.allCases.filter { type in type.isWidened && state.values.contains { $0.dtype == type } }
  }
}

extension DType {
  /// Whether the type converts to float32 without loss.
  fileprivate var isWidened: Bool { self == .float16 || self == .bfloat16 }
}

extension NetworkConfiguration {
  /// A parameter's name in the original.
  fileprivate func originalName(of name: String) -> String? {
    (architecture as? PyramidNetwork.Configuration).map { OriginalNames.pyramid(name, levels: $0.levels) }
      ?? OriginalNames.recurrent(name)
  }
}
