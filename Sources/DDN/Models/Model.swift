import DDNFiles
import Foundation
import Torch

/// How a model was trained.
public struct TrainingSummary: Codable, Sendable, Equatable {
  /// Name of the data set.
  public var data: String
  /// Images seen, repeats included.
  public var images: Int
  /// 0 when unknown.
  public var elapsedSeconds: Double
  /// Mean loss of each level over the last images, in units of [-1, 1] squared; empty when unknown.
  public var lossOfLevels: [Double]
  /// Perplexity of node use of each layer, in 1...K; empty when unknown.
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

/// A network with its configuration and training summary, stored as one `.safetensors` file.
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

  /// What a model file says of itself.
  public static let fileKind = FileKind(
    "a model", format: "ddn-swift", versions: 1...7, command: "ddn train")

  /// Reads a model file.
  ///
  /// - Throws: `FileError` when the file is missing, damaged, not a model or of a newer version, or when its weights do
  ///   not fit its configuration; `TorchError` when memory is short or the device is unavailable.
  public init(contentsOf url: URL, device: Device = .cpu) throws {
    let file = try SafetensorsFile(contentsOf: url, kind: Self.fileKind)
    let configuration = try file.value("network", as: NetworkConfiguration.self)
    do throws(ConfigurationError) { try configuration.validate() } catch {
      throw file.invalid("describes an invalid network: \(error)")
    }
    let weights = file.entries.values.reduce(0) { $0 + $1.byteRange.count / $1.dtype.size }
    do throws(ConfigurationError) { try configuration.check(weights: weights) } catch {
      throw file.invalid(error.description)
    }
    self.configuration = configuration
    training = try file.optionalValue("training")
    network = try configuration.makeNetwork(generator: Generator(seed: 0))
    try file.verifyChecksum()
    try file.load(into: network.state())
    try network.move(to: device)
  }

  /// How weights are stored in a file; all become float32 when it is read.
  public enum Precision: Sendable {
    case float32
    /// Half the bytes. For weights up to 65,504.
    case float16
    /// A quarter of the bytes: matrices as int8 with a scale for each row.
    case int8
  }

  /// The format of files that hold matrices as bytes.
  private static let quantizedVersion = 7

  /// Writes the model atomically.
  ///
  /// - Parameters:
  ///   - url: of the file.
  ///   - average: values by parameter name to write instead, such as a moving average.
  ///   - precision: of the weights in the file.
  public func write(to url: URL, average: [String: Tensor] = [:], precision: Precision = .float32) throws {
    let metadata = try Self.fileKind.metadata(
      version: precision == .int8 ? Self.quantizedVersion : configuration.architecture.formatVersion, key: "network",
      configuration, training: training)
    var weights = network.state().merging(average) { $1 }
    switch precision {
    case .float32: weights = try weights.mapValues { try $0.to(.float32) }
    case .float16: weights = try weights.mapValues { try $0.to(.float16) }
    case .int8: weights = try SafetensorsFile.quantized(weights)
    }
    try SafetensorsFile.write(weights, metadata: metadata, to: url)
  }
}
