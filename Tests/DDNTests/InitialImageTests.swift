import GoldenSupport
import Testing
import Torch

@testable import DDN

/// `Golden/H/old_initial`: a network of the original's code before 2023-11-20, 15 levels of 16 nodes.
@Suite("Initial images of the pyramid") struct InitialImageTests {
  let file: SafetensorsFile
  let targets: Tensor
  /// `[L B]`
  let codes: [Int]

  init() throws {
    file = try Golden.safetensors("H/old_initial.safetensors")
    targets = try file.input("targets")
    codes = try file.tensor("codes").transposed(0, 1).array(Int.self)
  }

  private func network(_ image: InitialImage?) throws -> PyramidNetwork {
    let configuration = PyramidNetwork.Configuration(
      channelsOfScales: [24, 24, 24, 24, 24, 24], maxBlocks: 3, maxNodes: 16, initialImage: image)
    let network = try PyramidNetwork(configuration, generator: Generator(seed: 0))
    try network.move(to: Golden.device)
    for (name, tensor) in network.state() {
      let original = try #require(OriginalNames.pyramid(name, levels: configuration.levels))
      try withoutGradients { try tensor.copy(from: file.tensor("state.\(original)")) }
    }
    return network
  }

  private func expect(_ outputs: [LevelOutput]) throws {
    #expect(try outputs.flatMap { try $0.codes.array(Int.self) } == codes)
    let images = try #require(outputs.last).imagesPerSample()
    #expect(try file.deviation(of: images, from: "images") <= Tolerance.pyramid)
  }

  @Test("with the channel ramp, codes and images equal the old program's") func encoding() throws {
    try expect(network(.channelRamp).outputs(samples: 8, chooser: NearestChooser(Target(targets))))
    let zeros = try network(nil).outputs(samples: 8, chooser: NearestChooser(Target(targets)))
    #expect(try zeros.flatMap { try $0.codes.array(Int.self) } != codes)
  }

  @Test("with the channel ramp, decoding gives the old program's images, for all codes or the first")
  func decoding() throws {
    let network = try network(.channelRamp)
    let given = try (0..<15).map { try Tensor(Array(codes[8 * $0..<8 * $0 + 8]), shape: [8]).to(Golden.device) }
    try expect(network.outputs(samples: 8, chooser: GivenChooser(given)))
    let rest = NearestChooser(Target(targets))
    try expect(network.outputs(samples: 8, chooser: GivenChooser(Array(given[..<4]), then: rest)))
  }

  @Test("batches of one image and separate paths give the same") func paths() throws {
    let network = try network(.channelRamp)
    for sample in 0..<2 {
      let target = Target(try targets.slice(0, sample..<sample + 1))
      let outputs = try network.outputs(samples: 1, chooser: NearestChooser(target))
      let expected = (0..<15).map { codes[8 * $0 + sample] }
      #expect(try outputs.flatMap { try $0.codes.array(Int.self) } == expected)
    }
  }

  @Test("training uses it, with the same choices") func training() throws {
    let network = try network(.channelRamp)
    network.setMode(.training)
    let outputs = try network.outputs(samples: 8, chooser: NearestChooser(Target(targets)))
    try expect(outputs)
  }

  @Test("it covers all pixels of a larger side") func wide() {
    var feature = [Float](repeating: 0, count: 8 * 4)
    InitialImage.channelRamp.add(to: &feature, featureChannels: 8)
    #expect(feature == [-1, 0, 1, 0, 0, -1, 0, 1].flatMap { [Float](repeating: $0, count: 4) })
  }
}
