import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDN

/// Levels of configurations, compared to the original's, mostly without building networks.
@Suite("Pyramid topology, compared to the original")
struct PyramidTopologyTests {
  struct Golden: Decodable {
    struct Rule: Decodable {
      let size, channels: Int
      let nodes, blocks: Int

      enum CodingKeys: String, CodingKey {
        case size, channels
        case nodes = "K_unlimited"
        case blocks = "blockn_unlimited"
      }
    }
    struct Network: Decodable {
      let resolution, levels, parameters: Int
      let options: GoldenPyramid.Settings.Options
      let bits: Double
      /// Name, input and output channels, K, side, whether up; "..." for omitted levels.
      let list: [Entry]

      enum CodingKeys: String, CodingKey {
        case resolution = "img_resolution"
        case levels = "n_layers"
        case parameters = "n_params"
        case options = "cf"
        case bits = "log10_latent_space"
        case list = "layers_name_inc_outc_K_size_up"
      }

      var configuration: PyramidNetwork.Configuration {
        options.configuration(
          resolution: resolution, conditions: options.condition.map { [ConditionKind($0)!] } ?? [])
      }
    }
    /// Nil for omitted levels.
    struct Entry: Decodable, Equatable {
      let text: String?

      init(_ level: PyramidLevel) {
        text = "block_\(level.name) \(level.inputChannels) \(level.channels) \(level.nodes) \(level.side) \(level.isUp)"
      }

      init(from decoder: any Decoder) throws {
        guard var values = try? decoder.unkeyedContainer() else {
          text = nil
          return
        }
        let name = try values.decode(String.self)
        let numbers = try (0..<4).map { _ in try values.decode(Int.self) }
        text = ([name] + numbers.map(String.init) + ["\(try values.decode(Int.self) == 1)"]).joined(separator: " ")
      }
    }

    let rules: [Rule]
    let networks: [String: Network]

    enum CodingKeys: String, CodingKey {
      case rules = "rule_by_scale"
      case networks = "configs"
    }
  }

  static let golden = Result {
    try JSONDecoder().decode(Golden.self, from: Data(contentsOf: GoldenSupport.Golden.url("D/topology.json")))
  }

  @Test("channels, nodes and levels at every side from 1 to 2048")
  func rules() throws {
    let golden = try Self.golden.get()
    let levels = PyramidNetwork.Configuration(resolution: 2048, maxNodes: 512).levels
    #expect(golden.rules.count == 12)
    for rule in golden.rules {
      let there = levels.filter { $0.side == rule.size }
      #expect(there.count == rule.blocks)
      #expect(there.allSatisfy { $0.channels == rule.channels && $0.nodes == rule.nodes }, "side \(rule.size)")
    }
  }

  @Test("whole networks: every level, the parameters and the bits")
  func networks() throws {
    let golden = try Self.golden.get()
    #expect(golden.networks.count == 10)
    for (name, network) in golden.networks {
      let configuration = network.configuration
      let levels = configuration.levels
      #expect(levels.count == network.levels, "\(name)")
      #expect(configuration.parameterLowerBound == network.parameters, "\(name)")
      let bits = configuration.codeSpace.bits
      #expect(abs(bits - network.bits * log2(10)) < 1e-6, "\(name)")
      let parts = network.list.split { $0.text == nil }
      #expect(Array(levels.prefix(parts[0].count)).map { Golden.Entry($0) } == Array(parts[0]), "\(name)")
      #expect(Array(levels.suffix(parts.last!.count)).map { Golden.Entry($0) } == Array(parts.last!), "\(name)")
      #expect(network.list.count == network.levels || parts.count == 2, "\(name)")
    }
  }

  @Test("the default is CIFAR-10's: 63 levels of 64 nodes, 378 bits, 76,291,840 parameters")
  func cifar() {
    let configuration = PyramidNetwork.Configuration()
    #expect(configuration.levels.count == 63 && configuration.parameterLowerBound == 76_291_840)
    #expect(configuration.codeSpace.bits == 378)
  }

  @Test("64x64 with up to 512 nodes: 127 levels, 109.4 million parameters")
  func faces() {
    let configuration = PyramidNetwork.Configuration(resolution: 64, maxNodes: 512)
    #expect(configuration.levels.count == 127 && configuration.parameterLowerBound == 109_379_712)
  }

  @Test("every parameter of CIFAR-10's network has the original's name and shape")
  func names() throws {
    let url = GoldenSupport.Golden.url("D/state_dict_cifar32_blockn32_k64.json")
    let golden = try JSONDecoder().decode([String: [Int]].self, from: Data(contentsOf: url))
      .filter { !$0.key.hasSuffix("split_idxs") && !$0.key.hasSuffix("resample_filter") }
    let levels = PyramidNetwork.Configuration(maxBlocks: 32).levels
    var found: [String: [Int]] = [:]
    for (number, level) in levels.enumerated() {
      for (name, shape) in level.parameterShapes {
        let original = try #require(OriginalNames.pyramid("levels.\(number).\(name)", levels: levels))
        #expect(found.updateValue(shape, forKey: original) == nil, "\(original)")
      }
    }
    #expect(found == golden)
    #expect(OriginalNames.pyramid("levels.63.layer.weight", levels: levels) == nil)
    #expect(OriginalNames.pyramid("levels.0.block.thirdNorm.weight", levels: levels) == nil)
  }

  @Test("a network's parameters are those of its topology", arguments: [1, 3])
  func announced(imageChannels: Int) throws {
    let configuration = PyramidNetwork.Configuration(
      resolution: 8, imageChannels: imageChannels, startSide: 2, channelsOfScales: [12, 12, 8], maxBlocks: 2,
      maxNodes: 5)
    let network = try PyramidNetwork(configuration, generator: Generator(seed: 0))
    let announced = configuration.levels.enumerated().flatMap { number, level in
      level.parameterShapes.map { "levels.\(number).\($0.name) \($0.shape)" }
    }
    #expect(network.namedParameters().map { "\($0.name) \($0.parameter.tensor.shape)" } == announced)
    #expect(network.parameterCount == configuration.parameterLowerBound)
  }

  @Test("the condition is added once per side: at its second level, or at an up level where a side has only one")
  func condition() {
    let few = PyramidNetwork.Configuration(resolution: 8, maxBlocks: 2).levels.filter(\.takesCondition)
    #expect(few.map(\.name) == ["1x1_0", "2x2_1", "4x4_1", "8x8_1"])
    let one = PyramidNetwork.Configuration(resolution: 8, maxBlocks: 1).levels.filter(\.takesCondition)
    #expect(one.map(\.name) == ["1x1_0", "4x4_0_up", "8x8_0_up"])
  }

  @Test("the convolutions take 88 billion operations per image, 244 for 64x64")
  func multiplyAdds() {
    let sums = [PyramidNetwork.Configuration(), .init(resolution: 64, maxNodes: 512)]
      .map { $0.levels.reduce(0) { $0 + $1.multiplyAdds } }
    #expect(sums.map { Int((2e-9 * Double($0)).rounded()) } == [88, 244])
  }
}
