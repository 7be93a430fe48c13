import DDN
import Foundation
import GoldenSupport
import Testing
import Torch

/// A minimal network: all levels are one layer on the initial features.
final class ToyNetwork: Module, DiscreteDistributionNetwork {
  struct Configuration: NetworkArchitecture {
    static var kind: String { "toy" }
    static var noun: String { "toy network" }
    var nodes = 4
    var levels = 2

    func validate() throws(ConfigurationError) {
      if !(2...64).contains(nodes) { throw ConfigurationError("\(nodes) nodes are not within 2...64") }
    }

    var codeSpace: CodeSpace { CodeSpace(nodes: nodes, levels: levels, side: 4) }
    var imageShape: [Int] { [1, 4, 4] }
    var conditions: [ConditionKind] { [] }
    var parameterLowerBound: Int { nodes * 8 }
    var summary: String { "toy of \(levels) levels" }
    func weightDifference(from other: Self) -> String? { difference("nodes", nodes, other.nodes) }

    func makeNetwork(generator: Generator) throws(TorchError) -> any DiscreteDistributionNetwork {
      try ToyNetwork(self, generator)
    }
  }

  let configuration: Configuration
  let nodes: DiscreteDistributionLayer
  var codeSpace: CodeSpace { configuration.codeSpace }
  var imageShape: [Int] { configuration.imageShape }
  var conditions: [ConditionKind] { [] }
  var device: Device { nodes.weight.tensor.device }

  init(_ configuration: Configuration, _ generator: Generator) throws(TorchError) {
    self.configuration = configuration
    nodes = try DiscreteDistributionLayer(
      .init(nodes: configuration.nodes, imageChannels: 1, featureChannels: 8, leaksChoice: false, learnsResidual: true),
      generator: generator)
  }

  func begin(samples: Int, condition: Condition) throws -> NetworkRun {
    let wave = (0..<8 * 16).map { Float(sin(Double($0))) }
    return NetworkRun(
      self, paths: try SharedPaths(samples: samples, device: device),
      features: try Tensor(wave, shape: [1, 8, 4, 4]).to(device))
  }

  func features(of run: NetworkRun) throws -> Tensor { try run.features }
  func layer(at level: Int) -> DiscreteDistributionLayer { nodes }
}

@Suite("Network architectures")
struct NetworkArchitectureTests {
  @Test("a registered architecture is written, read, encodes and decodes")
  func newKind() throws {
    NetworkConfiguration.register(ToyNetwork.Configuration.self)
    let configuration = NetworkConfiguration(ToyNetwork.Configuration(levels: 3))
    let network = try configuration.makeNetwork(generator: Generator(seed: 1))
    let url = FileManager.default.temporaryDirectory.appending(path: "toy-\(UUID().uuidString).safetensors")
    defer { try? FileManager.default.removeItem(at: url) }
    try Model(configuration: configuration, network: network).write(to: url)
    let model = try Model(contentsOf: url)
    #expect(model.configuration == configuration)

    let targets = try Tensor.normal([5, 1, 4, 4], generator: Generator(seed: 2))
    let found = try Reconstruction(of: targets, by: model.network)
    #expect(found.levels.count == 3)
    #expect(try deviation(of: network.decode(found.codes), from: found.levels.last!) < 1e-6)
    #expect(configuration.weightDifference(from: .pyramid(.init())) == "it is a pyramid, not a toy network")
  }

  @Test("an unknown kind and an invalid value are errors")
  func refusal() throws {
    let unknown = Data(#"{"dreamt":{"nodes":4}}"#.utf8)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(NetworkConfiguration.self, from: unknown) }
    let impossible = NetworkConfiguration(ToyNetwork.Configuration(nodes: 1))
    #expect(throws: ConfigurationError.self) { try impossible.validate() }
  }

  @Test("the default architecture depends on the images")
  func suited() {
    func kind(_ shape: [Int]) -> String { NetworkConfiguration.suited(toImagesOf: shape).kind }
    #expect(kind([1, 32, 32]) == "recurrent" && kind([3, 32, 32]) == "pyramid" && kind([1, 64, 64]) == "pyramid")
  }
}
