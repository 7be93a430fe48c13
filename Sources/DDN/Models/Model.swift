import DDNFiles
import Foundation
import Torch

/// Which network, with all its choices: what a weights file carries to be self-contained.
public enum NetworkConfiguration: Codable, Sendable, Equatable {
  case recurrent(RecurrentNetwork.Configuration)
  case pyramid(PyramidNetwork.Configuration)

  private enum Kind: String, CodingKey { case recurrent, pyramid }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Kind.self)
    self =
      container.contains(.pyramid)
      ? .pyramid(try container.decode(PyramidNetwork.Configuration.self, forKey: .pyramid))
      : .recurrent(try container.decode(RecurrentNetwork.Configuration.self, forKey: .recurrent))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Kind.self)
    switch self {
    case .recurrent(let configuration): try container.encode(configuration, forKey: .recurrent)
    case .pyramid(let configuration): try container.encode(configuration, forKey: .pyramid)
    }
  }

  /// What makes this configuration impossible, if anything.
  public var objection: String? {
    switch self {
    case .recurrent(let configuration): configuration.objection
    case .pyramid(let configuration): configuration.objection
    }
  }

  /// A number that the network's parameters are not fewer than.
  var fewestParameters: Int {
    switch self {
    case .recurrent(let configuration): configuration.fewestParameters
    case .pyramid(let configuration): configuration.fewestParameters
    }
  }

  /// What the original program multiplies the mean loss by. Adam's steps do not depend on it but for its epsilon, beside
  /// which gradients of a pyramid's mean loss are small.
  public var lossScale: Double {
    switch self {
    case .recurrent: 1
    case .pyramid(let configuration):
      Double(configuration.imageChannels * configuration.resolution * configuration.resolution)
    }
  }

  /// Why a file of so many bytes of weights cannot hold this network's, if it cannot.
  ///
  /// A few bytes that claim a giant must not cost gigabytes before the weights turn out to be missing: ask before the
  /// network is made.
  public func objection(toWeightBytes count: Int) -> String? {
    guard fewestParameters > count / DType.float32.size else { return nil }
    return "holds \(count) bytes of weights, too few for the network that it describes"
  }

  /// A network with fresh weights.
  public func makeNetwork(generator: Generator) throws(TorchError) -> any DiscreteDistributionNetwork {
    switch self {
    case .recurrent(let configuration): try RecurrentNetwork(configuration, generator: generator)
    case .pyramid(let configuration): try PyramidNetwork(configuration, generator: generator)
    }
  }
}

/// How a model came to be: what its card says.
public struct TrainingSummary: Codable, Sendable, Equatable {
  /// What it was trained on.
  public var data: String
  /// Images seen, repeats included.
  public var images: Int
  /// 0 when it is not known.
  public var elapsedSeconds: Double
  /// Mean loss of each level over the last images, in units of [-1, 1] squared; empty when it is not known.
  public var lossOfLevels: [Double]
  /// Perplexity of node use of each layer, in 1...K; empty when it is not known.
  public var perplexityOfLayers: [Double]

  public init(
    data: String, images: Int, elapsedSeconds: Double, lossOfLevels: [Double], perplexityOfLayers: [Double]
  ) {
    self.data = data
    self.images = images
    self.elapsedSeconds = elapsedSeconds
    self.lossOfLevels = lossOfLevels
    self.perplexityOfLayers = perplexityOfLayers
  }
}

/// A network with its configuration and history, in one `.safetensors` file.
public struct Model {
  public let configuration: NetworkConfiguration
  public let network: any DiscreteDistributionNetwork
  public let training: TrainingSummary?

  public init(
    configuration: NetworkConfiguration, network: any DiscreteDistributionNetwork, training: TrainingSummary? = nil
  ) {
    self.configuration = configuration
    self.network = network
    self.training = training
  }

  /// The metadata entry "format" of a model file.
  public static let format = "ddn-swift"
  static let formatVersions = ["1", "2"]

  /// Reads a model file.
  ///
  /// - Throws: `FileError` when the file is missing, damaged, of another kind or of a newer version, or when its
  ///   weights do not fit its configuration; `TorchError` when memory is short or the device is not there.
  public init(contentsOf url: URL, device: Device = .cpu) throws {
    let file = try SafetensorsFile(contentsOf: url)
    guard file.metadata["format"] == Self.format else {
      throw FileError(
        .invalid, path: url.path, problem: "is not a model of this program (its metadata names no '\(Self.format)')",
        remedy: "use a file that ddn train wrote")
    }
    guard let version = file.metadata["version"], Self.formatVersions.contains(version) else {
      throw FileError(
        .invalid, path: url.path,
        problem: "has format version \(file.metadata["version"].map { quoted($0) } ?? "none")",
        remedy:
          "use the version of ddn that wrote it; this one reads versions \(Self.formatVersions.joined(separator: " and "))"
      )
    }
    func decode<T: Decodable>(_ type: T.Type, _ key: String) throws -> T? {
      guard let text = file.metadata[key] else { return nil }
      do { return try JSONDecoder().decode(type, from: Data(text.utf8)) } catch {
        throw FileError(
          .invalid, path: url.path, problem: "its metadata '\(key)' cannot be read",
          remedy: "train or download it again")
      }
    }
    guard let configuration = try decode(NetworkConfiguration.self, "network"), configuration.objection == nil else {
      throw FileError(
        .invalid, path: url.path, problem: "its metadata describes no possible network",
        remedy: "train or download it again")
    }
    let dataBytes = file.entries.values.map(\.byteRange.upperBound).max() ?? 0
    if let objection = configuration.objection(toWeightBytes: dataBytes) {
      throw FileError(.invalid, path: url.path, problem: objection, remedy: "train or download it again")
    }
    self.configuration = configuration
    training = try decode(TrainingSummary.self, "training")
    network = try configuration.makeNetwork(generator: Generator(seed: 0))
    try file.verifyChecksum()
    try file.load(into: network.state())
    try network.move(to: device)
  }

  /// Writes the model whole or not at all.
  ///
  /// - Parameter average: values that take the parameters' places by name, such as a moving average.
  public func write(to url: URL, average: [String: Tensor] = [:]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    func text(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
    var metadata = [
      "format": Self.format, "version": configuration.formatVersion, "network": try text(configuration),
    ]
    if let training { metadata["training"] = try text(training) }
    try SafetensorsFile.write(
      network.state().merging(average) { $1 }, metadata: metadata, to: url)
  }
}

extension NetworkConfiguration {
  /// 1 wherever a reader of version 1 gets all that matters; such a reader overlooks an initial image.
  fileprivate var formatVersion: String {
    if case .pyramid(let configuration) = self, configuration.initialImage != nil { "2" } else { "1" }
  }

  /// Whether weights of one fit the other: only the number of levels that share weights, and conditions, which have
  /// none, may differ.
  public func hasSameWeights(as other: NetworkConfiguration) -> Bool { weightDifference(from: other) == nil }

  /// The first thing that keeps weights of `other` from fitting this network, in words; nil when they fit.
  ///
  /// Pyramids are compared level by level: rules that give the same levels are the same.
  public func weightDifference(from other: NetworkConfiguration) -> String? {
    func differ<Value: Equatable>(_ what: String, _ mine: Value, _ theirs: Value) -> String? {
      mine == theirs ? nil : "it has \(what) \(theirs), not \(mine)"
    }
    switch (self, other) {
    case (.recurrent(let mine), .recurrent(let theirs)):
      return differ("nodes", mine.nodes, theirs.nodes) ?? differ("width", mine.baseWidth, theirs.baseWidth)
        ?? differ("stacks", mine.stacks, theirs.stacks) ?? differ("leaked choice", mine.leaksChoice, theirs.leaksChoice)
        ?? differ("learned residuals", mine.learnsResidual, theirs.learnsResidual)
    case (.pyramid(let mine), .pyramid(let theirs)):
      let levels = (mine.levels, theirs.levels)
      if let difference = differ("image channels", mine.imageChannels, theirs.imageChannels)
        ?? differ("resolution", mine.resolution, theirs.resolution)
        ?? differ("learned residuals", mine.learnsResidual, theirs.learnsResidual)
        ?? differ(
          "initial image", mine.initialImage?.rawValue ?? "zeros", theirs.initialImage?.rawValue ?? "zeros")
      {
        return difference
      }
      for (level, (mine, theirs)) in zip(levels.0, levels.1).enumerated() where mine != theirs {
        return "its level \(level) is \(theirs.summary), not \(mine.summary)"
      }
      return differ("levels", levels.0.count, levels.1.count)
    case (_, .recurrent): return "it is a recurrent network, not a pyramid"
    case (_, .pyramid): return "it is a pyramid, not a recurrent network"
    }
  }

  /// A few words for people: "64 nodes x 10 levels, width 8", "pyramid of 63 levels, 64 nodes, 32x32 colour".
  public var summary: String {
    switch self {
    case .recurrent(let configuration):
      "\(configuration.nodes) nodes x \(configuration.levels) levels, width \(configuration.baseWidth)"
        + (configuration.isClassConditional ? ", class-conditional" : "")
    case .pyramid(let configuration):
      configuration.summary
    }
  }
}
