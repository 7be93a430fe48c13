import GoldenSupport
import Testing
import Torch

@testable import DDN

@Suite("Initial nodes by k-means")
struct InitialNodesTests {
  @Test("start a network near a residual quantizer", arguments: [0, 3]) func start(classes: Int) throws {
    let configuration = DenseNetwork.Configuration(
      imageShape: [1, 6, 6], components: 20, nodes: 6, levels: 4, width: 16, nodeFeatures: 5,
      rank: classes == 0 ? 12 : 20, classes: classes)
    let generator = try Generator(seed: 4)
    // Five dimensions.
    let factors = try Tensor.normal([300, 5], generator: generator)
    let images = try (factors.matmul(.normal([5, 36], generator: generator)) * 0.2).reshaped([300, 1, 6, 6])
    func error(_ nodes: InitialNodes) throws -> [Double] {
      let network = try DenseNetwork(configuration, generator: Generator(seed: 1))
      try network.fit(to: DenseNetworkTests.Images(images: images), nodes: nodes) { #expect((0...1).contains($0)) }
      #expect(network.mode == .evaluation)
      let target = Target(images)
      var errors: [Double] = []
      try network.run(
        samples: 300, condition: DenseNetworkTests.condition(configuration, count: 300), chooser: NearestChooser(target)
      ) { errors.append(try $0.losses(to: target).mean().item()) }
      return errors
    }
    let (random, fitted) = (try error(.random), try error(.kmeans))
    let variance = try images.squared().mean().item()
    // Six centres of five normal dimensions, four times.
    #expect(fitted[0] < 0.8 * variance && fitted[3] < 0.35 * variance, "\(fitted) of \(variance)")
    #expect(fitted == fitted.sorted(by: >) && fitted[3] < 0.7 * random[3], "\(fitted), \(random)")
  }

  @Test("need images, and one choice a pass") func refusals() throws {
    var configuration = DenseNetwork.Configuration(
      imageShape: [1, 6, 6], components: 20, nodes: 6, levels: 4, width: 16, nodeFeatures: 5, rank: 12)
    func fit(count: Int) throws {
      let network = try DenseNetwork(configuration, generator: Generator(seed: 1))
      let images = try DenseNetworkTests.Images(images: DenseNetworkTests.images([1, 6, 6], count: count))
      try network.fit(to: images, nodes: .kmeans) { _ in }
    }
    try fit(count: 6)
    #expect(throws: ConfigurationError.self) { try fit(count: 5) }
    configuration.choices = .sum(2)
    #expect(throws: ConfigurationError.self) { try fit(count: 6) }
  }
}
