import DDN
import Foundation
import GoldenSupport
import Testing
import Torch

@Suite("Node features and norms by channel")
struct NodeFeaturesTests {
  static let configurations: [RecurrentNetwork.Configuration] = [
    .init(baseWidth: 4, nodes: 4, repeats: 2, nodeFeatures: 6),
    .init(baseWidth: 4, nodes: 4, repeats: 2, normsByChannel: true),
    .init(baseWidth: 3, nodes: 4, repeats: 2, leaksChoice: false, nodeFeatures: 5, normsByChannel: true),
  ]

  @Test("a node reads as many features as it is given", arguments: [1, 6, 16])
  func features(count: Int) throws {
    for leaks in [false, true] {
      let network = try RecurrentNetwork(
        .init(baseWidth: 4, nodes: 4, repeats: 2, leaksChoice: leaks, nodeFeatures: count),
        generator: Generator(seed: 1))
      #expect(network.layers[0].layer.weight.tensor.shape == [4, count, 1, 1])
    }
  }

  @Test("norms by channel have a scale and a shift a channel")
  func norms() throws {
    func count(_ byChannel: Bool?) throws -> Int {
      try RecurrentNetwork(.init(normsByChannel: byChannel), generator: Generator(seed: 1)).parameterCount
    }
    #expect(try count(nil) == 407_311 && count(false) == 407_311)
    #expect(try count(true) < 200_000)
  }

  @Test("codes found are images drawn, and the model file has all of it", arguments: configurations)
  func roundTrip(configuration: RecurrentNetwork.Configuration) throws {
    let network = try RecurrentNetwork(configuration, generator: Generator(seed: 1))
    let images = try Tensor.uniform([6, 1, 32, 32], generator: Generator(seed: 2)) * 2 - 1
    let found = try Reconstruction(of: images, by: network)
    #expect(try deviation(of: network.decode(found.codes), from: found.levels.last!) < 1e-5)
    let url = FileManager.default.temporaryDirectory.appending(path: "features-\(UUID().uuidString).safetensors")
    defer { try? FileManager.default.removeItem(at: url) }
    try Model(configuration: .recurrent(configuration), network: network).write(to: url)
    #expect(try SafetensorsFile(contentsOf: url).metadata["version"] == "3")
    let model = try Model(contentsOf: url)
    #expect(model.configuration == .recurrent(configuration))
    #expect(try model.network.decode(found.codes).bytes() == network.decode(found.codes).bytes())
    #expect(model.configuration.weightDifference(from: .recurrent(.init(baseWidth: 4, nodes: 4, repeats: 2))) != nil)
  }

  @Test("every parameter learns", arguments: configurations)
  func gradients(configuration: RecurrentNetwork.Configuration) throws {
    let network = try RecurrentNetwork(configuration, generator: Generator(seed: 1))
    let target = Target(try .uniform([4, 1, 32, 32], generator: Generator(seed: 2)))
    var losses: [Tensor] = []
    try network.run(samples: 4, chooser: NearestChooser(target)) { losses.append(try $0.losses(to: target).mean()) }
    try Tensor.stack(losses).mean().backward()
    for (name, parameter) in network.namedParameters() where parameter.isTrainable {
      let gradient = try #require(try parameter.tensor.gradient(), "\(name)")
      #expect(gradient.shape == parameter.tensor.shape)
    }
  }
}
