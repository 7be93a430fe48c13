import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDN

/// The pyramid's block against the original's, for every file of `Golden/B`.
@Suite("Residual block, compared to the original")
struct ResidualBlockGoldenTests {
  static let names = Golden.names(in: "B")

  struct Settings: Decodable {
    let inputs, outputs: Int
    let doublesResolution, hasSkip: Bool
    let scale, epsilon: Double

    enum CodingKeys: String, CodingKey {
      case inputs = "in_channels"
      case outputs = "out_channels"
      case doublesResolution = "up"
      case hasSkip = "has_skip_conv"
      case scale = "skip_scale"
      case epsilon = "eps"
    }
  }

  /// A block with the original's weights.
  struct Case {
    let file: SafetensorsFile
    let settings: Settings
    let block: ResidualBlock

    init(_ name: String) throws {
      file = try Golden.safetensors("B/\(name).safetensors")
      settings = try JSONDecoder().decode(Settings.self, from: Data((file.metadata["meta"] ?? "").utf8))
      block = try ResidualBlock(
        settings.inputs, settings.outputs, doublesResolution: settings.doublesResolution, epsilon: settings.epsilon,
        scale: settings.scale, generator: Generator(seed: 0))
      try block.move(to: Golden.device)
      var names = Set(file.entries.keys.filter { $0.hasPrefix("param.") && !$0.hasSuffix("resample_filter") })
      for (name, parameter) in block.namedParameters() {
        let original = "param.\(try Self.original(name))"
        try #require(names.remove(original) != nil, "\(original)")
        let golden = try file.tensor(original)
        try #require(golden.shape == parameter.tensor.shape, "\(original)")
        try withoutGradients { try parameter.tensor.copy(from: golden) }
      }
      try #require(names.isEmpty)
    }

    /// The original's name of a parameter of a block.
    static func original(_ name: String) throws -> String {
      let level = PyramidNetwork.Configuration(resolution: 1).levels[0]
      let full = try #require(OriginalNames.pyramid("levels.0.block.\(name)", levels: [level]))
      return String(full.dropFirst("model.block_1x1_0.block.".count))
    }
  }

  @Test("all 13 golden blocks exist")
  func complete() { #expect(Self.names.count == 13) }

  @Test("output and gradients are the same", arguments: names)
  func forwardAndBackward(name: String) throws {
    let golden = try Case(name)
    let (file, block) = (golden.file, golden.block)
    #expect((block.skip != nil) == golden.settings.hasSkip)
    let input = try file.input("in")
    try input.setRequiresGradient(true)
    let output = try block(input)
    #expect(try file.deviation(of: output, from: "out") <= Tolerance.block)

    try output.backward(file.input("cotangent"))
    let inputGradient = try #require(try input.gradient())
    #expect(try file.deviation(of: inputGradient, from: "grad.in") <= Tolerance.block)
    var compared = 1
    for (name, parameter) in block.namedParameters() {
      let gradient = try #require(try parameter.tensor.gradient(), "\(name)")
      let original = "grad.\(try Case.original(name))"
      guard file.entries[original] != nil else { continue }
      compared += 1
      #expect(try file.deviation(of: gradient, from: original) <= Tolerance.block, "\(name)")
    }
    #expect(compared == file.entries.keys.filter { $0.hasPrefix("grad.") }.count)
  }

  @Test(
    "initial weights are within the original's bounds, the second convolution's near zero", arguments: [false, true])
  func initialWeights(doublesResolution: Bool) throws {
    let block = try ResidualBlock(12, 16, doublesResolution: doublesResolution, generator: Generator(seed: 1))
    func largest(_ tensor: Tensor) throws -> Double { try tensor.absolute().array(Double.self).max()! }
    let bounds = [
      (block.firstConvolution, (6 / Double((12 + 16) * 9)).squareRoot()),
      (block.secondConvolution, 1e-5 * (6 / Double(32 * 9)).squareRoot()),
      (try #require(block.skip), (6 / Double(12 + 16)).squareRoot()),
    ]
    for (convolution, bound) in bounds {
      #expect(try (0.95 * bound...bound).contains(largest(convolution.weight.tensor)))
      #expect(try largest(convolution.bias.tensor) == 0)
    }
    let golden = try Golden.safetensors(
      doublesResolution ? "B/refinit_up_16to8.safetensors" : "B/refinit_16.safetensors")
    for (name, inputs, outputs, scale) in [
      ("conv0", 16, doublesResolution ? 8 : 16, 1),
      ("conv1", doublesResolution ? 8 : 16, doublesResolution ? 8 : 16, 1e-5),
    ] {
      let bound = scale * (6 / Double((inputs + outputs) * 9)).squareRoot()
      #expect(try (0.95 * bound...1.0001 * bound).contains(largest(golden.tensor("param.\(name).weight"))))
    }
  }
}
