import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDN

@Suite("Latents of a dense network")
struct LatentAutoencoderTests {
  static let configuration = DenseNetwork.Configuration(
    imageShape: [1, 6, 6], components: 12, nodes: 5, levels: 3, width: 12, nodeFeatures: 4, rank: 2,
    latents: .init(count: 2, width: 32))

  /// Spots at any place of a circle: one dimension, but no line.
  static func spots(_ count: Int) throws -> Tensor {
    var pixels: [Float] = []
    for image in 0..<count {
      let angle = 2 * Double.pi * Double(image * 97 % count) / Double(count)
      let (row, column) = (2.5 + 1.7 * sin(angle), 2.5 + 1.7 * cos(angle))
      for y in 0..<6 {
        for x in 0..<6 {
          let distance = pow(Double(y) - row, 2) + pow(Double(x) - column, 2)
          pixels.append(Float(2 * exp(-distance / 1.5) - 1))
        }
      }
    }
    return try Tensor(pixels, shape: [count, 1, 6, 6])
  }

  static func network() throws -> (DenseNetwork, images: Tensor) {
    let network = try DenseNetwork(configuration, generator: Generator(seed: 1))
    let images = try spots(300)
    try network.fit(to: DenseNetworkTests.Images(images: images), nodes: .random) { _ in }
    return (network, images)
  }

  @Test("lose less of images on a curve than as many components") func curve() throws {
    let (network, images) = try Self.network()
    let linear = try PrincipalComponents(count: 2, imageShape: [1, 6, 6])
    try linear.fit(to: DenseNetworkTests.Images(images: images))
    func lost(_ components: PrincipalComponents) throws -> Double {
      try (components.images(of: components.numbers(of: components.project(images))) - images).squared().mean().item()
    }
    let (ours, theirs) = (try lost(network.principal), try lost(linear))
    #expect(ours < 0.7 * theirs, "\(ours) of \(theirs)")
    let stated = try Target(images).projected(on: network.principal).remainder.mean().item()
    #expect(abs(stated - ours) < 1e-5)
  }

  @Test("candidates over pixels are the decoded candidates, masked or not") func pixels() throws {
    let (network, images) = try Self.network()
    let few = try images.slice(0, 0..<7)
    var run = try network.begin(samples: 7, condition: .none)
    while !run.isFinished {
      let candidates = try run.candidates()
      let pixels = try candidates.inPixels()
      #expect(pixels.components == nil && pixels.imageShape == [1, 6, 6] && candidates.imageShape == [1, 6, 6])
      #expect(try deviation(of: candidates.images(), from: pixels.images()) < 1e-5)
      let absolute = try candidates.paths.perSample(candidates.images()) - few.reshaped([7, 1, 1, 6, 6])
      let distances = try candidates.distances(to: Target(few), measure: .absolute)
      #expect(try deviation(of: distances, from: absolute.absolute().mean([2, 3, 4])) < 1e-5)
      let mask = try Tensor((0..<36).map { $0 % 3 == 0 ? Float(1) : 0 }, shape: [1, 1, 6, 6])
      let masked = try candidates.masked(by: mask).distances(to: Target(few * mask))
      #expect(try deviation(of: masked, from: (absolute * mask).squared().mean([2, 3, 4])) < 1e-5)
      let output = try run.advance(by: NearestChooser(Target(few)))
      let losses = try (output.imagesPerSample() - few).squared().mean([1, 2, 3])
      #expect(try deviation(of: output.losses(to: Target(few)), from: losses) < 1e-6)
    }
  }

  @Test("training teaches the decoder, not the encoder") func gradients() throws {
    let (network, images) = try Self.network()
    network.setMode(.training)
    let target = Target(images)
    let chooser = NearestChooser(target)
    let outputs = try network.outputs(samples: images.shape[0], chooser: chooser)
    try outputs.last!.losses(to: target).mean().backward()
    let parameters = network.namedParameters().filter { $0.name.contains("coder") }
    #expect(parameters.count == 2 * 12)
    for (name, parameter) in parameters {
      let gradient = try parameter.tensor.gradient()
      #expect((gradient != nil) == name.contains("decoder"), "\(name)")
    }
  }

  @Test("a code gives the same image in any batch, bit for bit") func anyBatch() throws {
    let (network, _) = try Self.network()
    let codes = (0..<3).map { level in (0..<19).map { ($0 * 7 + level) % 5 } }
    func draw(_ range: Range<Int>) throws -> Data {
      let given = try codes.map { try Tensor(Array($0[range]), shape: [range.count]) }
      return try network.run(samples: range.count, chooser: GivenChooser(given)).imagesPerSample().bytes()
    }
    let whole = try draw(0..<19)
    #expect(try (0..<19).reduce(Data()) { try $0 + draw($1..<$1 + 1) } == whole)
  }

  @Test("a model file keeps them, and only its version says that they are there") func file() throws {
    let (network, images) = try Self.network()
    let url = FileManager.default.temporaryDirectory.appending(path: "latents-\(UUID()).safetensors")
    defer { try? FileManager.default.removeItem(at: url) }
    try Model(configuration: NetworkConfiguration(Self.configuration), network: network).write(to: url)
    let loaded = try Model(contentsOf: url)
    #expect(loaded.configuration == NetworkConfiguration(Self.configuration))
    let (before, after) = (
      try network.run(samples: 300, chooser: NearestChooser(Target(images))),
      try loaded.network.run(samples: 300, chooser: NearestChooser(Target(images)))
    )
    #expect(try before.imagesPerSample().bytes() == after.imagesPerSample().bytes())
    #expect(Self.configuration.formatVersion == 5)
    #expect(network.parameterCount == Self.configuration.parameterLowerBound)
  }

  @Test("too many, or of patches, are refused") func invalid() {
    var configuration = Self.configuration
    configuration.latents = .init(count: 13)
    #expect(throws: ConfigurationError.self) { try configuration.validate() }
    configuration.latents = .init(count: 2)
    configuration.rank = 3
    #expect(throws: ConfigurationError.self) { try configuration.validate() }
    configuration.rank = 2
    configuration.choices = .patches(side: 2)
    configuration.levels = 4
    #expect(throws: ConfigurationError.self) { try configuration.validate() }
  }
}
