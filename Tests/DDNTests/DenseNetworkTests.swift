import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDN

@Suite("Dense networks")
struct DenseNetworkTests {
  static let configurations: [DenseNetwork.Configuration] = [
    .init(imageShape: [1, 6, 6], components: 20, nodes: 5, levels: 4, width: 12, nodeFeatures: 7, rank: 9),
    .init(imageShape: [3, 5, 5], components: 30, nodes: 4, levels: 3, width: 8, blocks: 2, nodeFeatures: 3, rank: 30),
    .init(
      imageShape: [3, 4, 4], components: 11, nodes: 6, levels: 3, width: 8, blocks: 0, nodeFeatures: 4, rank: 1,
      sharesLevels: true),
    .init(
      imageShape: [1, 6, 6], components: 36, nodes: 4, levels: 3, width: 10, nodeFeatures: 4, rank: 8, classes: 3),
    .init(
      imageShape: [1, 6, 6], components: 20, nodes: 6, levels: 4, width: 12, nodeFeatures: 7, rank: 9,
      choices: .sum(2), gains: 3),
    .init(
      imageShape: [3, 6, 6], components: 32, nodes: 4, levels: 8, width: 12, nodeFeatures: 3, rank: 9,
      sharesLevels: true, classes: 3, choices: .patches(side: 2)),
  ]

  /// Images in memory, with classes 0, 1, 2, 0 and so on.
  struct Images: EncodingSource {
    let images: Tensor
    var count: Int { images.shape[0] }
    func images(in range: Range<Int>) throws -> (images: Tensor, classes: Tensor?) {
      let classes = range.map { $0 % 3 }
      return (try images.slice(0, range), try Tensor(classes, shape: [range.count]))
    }
  }

  static func images(_ shape: [Int], count: Int = 60, seed: UInt64 = 2) throws -> Tensor {
    try Tensor.uniform([count] + shape, generator: Generator(seed: seed)) * 2 - 1
  }

  static func network(_ configuration: DenseNetwork.Configuration) throws -> DenseNetwork {
    let network = try DenseNetwork(configuration, generator: Generator(seed: 1))
    try network.fit(to: Images(images: images(configuration.imageShape)), nodes: .random) { _ in }
    return network
  }

  static func condition(_ configuration: DenseNetwork.Configuration, count: Int) throws -> Condition {
    guard configuration.classes > 0 else { return .none }
    return try Condition(classes: Tensor((0..<count).map { $0 % 3 }, shape: [count]))
  }

  @Test("components express images of few dimensions exactly, by descending variance")
  func fit() throws {
    let (generator, shape) = (try Generator(seed: 3), [3, 4, 4])
    let factors = try Tensor.normal([200, 5], generator: generator)
    let images = try (factors.matmul(.normal([5, 48], generator: generator)) + 0.25).reshaped([200] + shape)
    let principal = try PrincipalComponents(count: 5, imageShape: shape)
    try principal.fit(to: Images(images: images))
    let coefficients = try principal.numbers(of: principal.project(images))
    #expect(try deviation(of: principal.images(of: coefficients), from: images) < 1e-4)
    #expect(
      try principal.remainder(of: images, coefficients: coefficients.reshaped([200, 5])).array(Float.self).allSatisfy {
        $0 < 1e-4
      })
    let variances = try coefficients.reshaped([200, 5]).squared().mean([0]).array(Double.self)
    #expect(variances == variances.sorted(by: >))
    #expect(abs(variances.reduce(0, +) / 5 - 1) < 1e-3)
    let gram = try principal.components.tensor.matmul(principal.components.tensor.transposed(0, 1)).array(Double.self)
    for (place, value) in gram.enumerated() { #expect(abs(value - (place % 6 == 0 ? 1 : 0)) < 1e-5) }
  }

  @Test("distances, losses and images in coefficients are those of pixels", arguments: configurations)
  func pixels(configuration: DenseNetwork.Configuration) throws {
    let network = try Self.network(configuration)
    let target = Target(try Self.images(configuration.imageShape, count: 21, seed: 5))
    var run = try network.begin(samples: 21, condition: Self.condition(configuration, count: 21))
    while !run.isFinished {
      let candidates = try run.candidates()
      let pixels = try candidates.inPixels()
      #expect(pixels.components == nil && pixels.imageShape == configuration.imageShape)
      #expect(candidates.imageShape == configuration.imageShape)
      #expect(try deviation(of: candidates.images(), from: pixels.images()) < 1e-4)
      #expect(try deviation(of: candidates.images(of: 1..<3), from: pixels.images(of: 1..<3)) < 1e-4)
      for form in NodeDistances.Form.allCases {
        let distances = try candidates.distances(to: target, form: form)
        #expect(try deviation(of: distances, from: pixels.distances(to: target)) < 1e-4)
      }
      let absolute = try candidates.distances(to: target, measure: .absolute)
      #expect(try deviation(of: absolute, from: pixels.distances(to: target, measure: .absolute)) < 1e-5)
      let output = try run.advance(by: NearestChooser(target))
      let losses = try (output.imagesPerSample() - target.images).squared().mean([1, 2, 3])
      #expect(try deviation(of: output.losses(to: target), from: losses) < 1e-4)
      let nearest = try #require(output.distances).array(Double.self)
      for (image, loss) in try losses.array(Double.self).enumerated() {
        #expect(abs(nearest[image * configuration.nodes..<(image + 1) * configuration.nodes].min()! - loss) < 1e-4)
      }
      #expect(try #require(try run.images).bytes() == output.images.bytes())
    }
  }

  @Test("a mask counts only its pixels", arguments: configurations)
  func masked(configuration: DenseNetwork.Configuration) throws {
    let network = try Self.network(configuration)
    let side = configuration.imageShape[1]
    let mask = try Tensor((0..<side * side).map { $0 % 3 == 0 ? Float(1) : 0 }, shape: [1, 1, side, side])
    let target = try Self.images(configuration.imageShape, count: 7) * mask
    var run = try network.begin(samples: 7, condition: Self.condition(configuration, count: 7))
    let candidates = try run.candidates()
    let differences =
      try candidates.paths.perSample(candidates.images()) * mask
      - target.reshaped([7, 1] + configuration.imageShape)
    let distances = try candidates.masked(by: mask).distances(to: Target(target))
    #expect(try deviation(of: distances, from: differences.squared().mean([2, 3, 4])) < 1e-4)
  }

  @Test("a code gives the same image in any batch, bit for bit", arguments: configurations)
  func anyBatch(configuration: DenseNetwork.Configuration) throws {
    let network = try Self.network(configuration)
    let count = 37
    let choices = (0..<configuration.levels).map { level in (0..<count).map { ($0 * 7 + level) % configuration.nodes } }
    func draw(_ range: Range<Int>) throws -> Data {
      let classes = try Tensor(range.map { $0 % 3 }, shape: [range.count])
      let given = try choices.map { try Tensor(Array($0[range]), shape: [range.count]) }
      let condition = configuration.classes > 0 ? Condition(classes: classes) : .none
      return try network.run(samples: range.count, condition: condition, chooser: GivenChooser(given))
        .imagesPerSample().bytes()
    }
    let whole = try draw(0..<count)
    for size in [1, 2, 5, 16, 17] {
      let parts = try stride(from: 0, to: count, by: size).map { try draw($0..<min($0 + size, count)) }
      #expect(parts.reduce(Data(), +) == whole, "batches of \(size)")
    }
  }

  @Test("codes found are images drawn, and the model file has all of it", arguments: configurations)
  func roundTrip(configuration: DenseNetwork.Configuration) throws {
    let network = try Self.network(configuration)
    #expect(network.parameterCount == configuration.parameterLowerBound)
    #expect(network.imageShape == configuration.imageShape && network.conditions.classes == configuration.classes)
    let url = FileManager.default.temporaryDirectory.appending(path: "dense-\(UUID().uuidString).safetensors")
    defer { try? FileManager.default.removeItem(at: url) }
    try Model(configuration: NetworkConfiguration(configuration), network: network).write(to: url)
    #expect(try SafetensorsFile(contentsOf: url).metadata["version"] == (configuration.choices == nil ? "3" : "4"))
    let model = try Model(contentsOf: url)
    #expect(model.configuration == NetworkConfiguration(configuration))
    let target = Target(try Self.images(configuration.imageShape, count: 6))
    let condition = try Self.condition(configuration, count: 6)
    let output = try network.run(samples: 6, condition: condition, chooser: NearestChooser(target))
    let again = try model.network.run(samples: 6, condition: condition, chooser: NearestChooser(target))
    #expect(try again.images.bytes() == output.images.bytes())
  }

  @Test("every parameter but the components learns", arguments: configurations)
  func gradients(configuration: DenseNetwork.Configuration) throws {
    let network = try Self.network(configuration)
    let target = Target(try Self.images(configuration.imageShape, count: 30))
    var losses: [Tensor] = []
    try network.run(
      samples: 30, condition: Self.condition(configuration, count: 30), chooser: NearestChooser(target)
    ) { losses.append(try $0.losses(to: target).mean()) }
    try Tensor.stack(losses).mean().backward()
    for (name, parameter) in network.namedParameters() {
      #expect(parameter.isTrainable != name.hasPrefix("principal"))
      guard parameter.isTrainable else { continue }
      let gradient = try #require(try parameter.tensor.gradient(), "\(name)")
      // A block is the identity at first, and the first level sees no image.
      let isIdle = name.contains("blocks") && !name.contains("second") || name == "levels.0.input.weight"
      if !isIdle { #expect(try gradient.absolute().sum().item() > 0, "\(name)") }
    }
  }

  @Test("patches are chosen apart: their choices change no other pixel, and each is the nearest of its patch")
  func patches() throws {
    let configuration = Self.configurations[5]
    let network = try Self.network(configuration)
    let target = try Self.images(configuration.imageShape, count: 9)
    var run = try network.begin(samples: 9, condition: Self.condition(configuration, count: 9))
    for level in 0..<8 {
      let before =
        try run.images.map { try run.paths.perSample($0) }
        ?? network.principal.mean.tensor.expanded([9] + configuration.imageShape)
      let candidates = try run.candidates()
      let all = try candidates.paths.perSample(candidates.images())  // [9, K, 3, 6, 6]
      let output = try run.advance(by: NearestChooser(Target(target)))
      let change = try (output.imagesPerSample() - before).absolute()
      let (row, column) = (level % 4 / 2 * 3, level % 2 * 3)
      let inside = try change.slice(2, row..<row + 3).slice(3, column..<column + 3).sum().item()
      #expect(try inside > 0.01 && change.sum().item() - inside < 1e-3, "level \(level)")
      let differences = try (all - target.reshaped([9, 1, 3, 6, 6])).squared()
        .slice(3, row..<row + 3).slice(4, column..<column + 3).mean([2, 3, 4])
      #expect(try differences.argmin(1).array(Int.self) == output.codes.array(Int.self))
    }
  }

  @Test("choices of one pass share its features, and a gain multiplies a node's image")
  func choicesOfAPass() throws {
    let network = try Self.network(Self.configurations[4])
    var run = try network.begin(samples: 1, condition: .none)
    let first = try run.candidates()
    let images = try first.inPixels().images().reshaped([6, 36]) - network.principal.mean.tensor.reshaped([1, 36])
    // Six nodes are two with gains of -2/3, 0 and 2/3.
    #expect(try deviation(of: images.slice(0, 0..<2), from: images.slice(0, 4..<6) * -1) < 1e-5)
    #expect(try images.slice(0, 2..<4).absolute().sum().item() < 1e-4)
    try run.advance(choosing: Tensor([5], shape: [1]))
    #expect(try run.candidates().features.bytes() == first.features.bytes())
    try run.advance(choosing: Tensor([0], shape: [1]))
    #expect(try run.candidates().features.bytes() != first.features.bytes())
  }

  @Test("differentiable and pairwise distances are those of the images", arguments: configurations)
  func differentiable(configuration: DenseNetwork.Configuration) throws {
    let network = try Self.network(configuration)
    let target = try Self.images(configuration.imageShape, count: 5)
    var run = try network.begin(samples: 5, condition: Self.condition(configuration, count: 5))
    try run.advance(by: NearestChooser(Target(target)))
    let candidates = try run.candidates()
    let distances = try candidates.differentiableDistances(to: Target(target))
    #expect(try deviation(of: distances, from: candidates.distances(to: Target(target))) < 1e-4)
    let pairwise = try candidates.pairwiseDistances()
    let same = try withAutocast(.bfloat16, on: .cpu) {
      (try candidates.differentiableDistances(to: Target(target)), try candidates.pairwiseDistances())
    }
    #expect(try same.0.bytes() == distances.bytes() && same.1.bytes() == pairwise.bytes())
    let images = try candidates.images()  // [R, K, C, H, W]
    let (rows, nodes) = (images.shape[0], images.shape[1])
    let pairs = try
      (images.reshaped([rows, nodes, 1] + configuration.imageShape)
      - images.reshaped([rows, 1, nodes] + configuration.imageShape)).squared().mean([3, 4, 5])
    #expect(try deviation(of: pairwise, from: pairs) < 1e-4)
    let layer = network.layer(at: 1)
    try (distances.sum() + pairwise.sum()).backward()
    #expect(try #require(try layer.weight.tensor.gradient()).absolute().sum().item() > 0)
  }

  @Test("a basis changes no loss and no gradient", arguments: configurations.filter { $0.rank < $0.components })
  func basisGradients(configuration: DenseNetwork.Configuration) throws {
    let network = try Self.network(configuration)
    let whole = try Self.withoutBasis(network)
    func losses(_ network: DenseNetwork) throws -> Tensor {
      network.setMode(.training)
      let target = Target(try Self.images(configuration.imageShape, count: 21, seed: 5))
      var losses: [Tensor] = []
      try network.run(
        samples: 21, condition: Self.condition(configuration, count: 21), chooser: NearestChooser(target)
      ) { losses.append(try $0.losses(to: target)) }
      try Tensor.stack(losses).sum().backward()
      return try .stack(losses)
    }
    #expect(try deviation(of: losses(network), from: losses(whole)) < 1e-5)
    for (level, other) in zip(network.levels, whole.levels) {
      func gradient(_ parameter: Parameter) throws -> Tensor { try #require(try parameter.tensor.gradient()) }
      for (found, expected) in [(level.layer.weight, other.layer.weight), (level.input.weight, other.input.weight)] {
        #expect(try deviation(of: gradient(found), from: gradient(expected)) < 1e-4)
      }
      let basis = try #require(level.basis)
      let (features, rank, width) = (configuration.nodeFeatures, configuration.rank, configuration.width)
      let ofWhole = try gradient(other.output.weight).reshaped([features, -1, width])  // [F, P, H]
      let ofOutput = try basis.tensor.reshaped([1, rank, -1]).expanded([features, rank, configuration.components])
        .batchMatmul(ofWhole)
      #expect(try deviation(of: gradient(level.output.weight), from: ofOutput.reshaped([-1, width])) < 1e-4)
      let ofWeights = try level.output.weight.tensor.reshaped([features, rank, width])
        .batchMatmul(ofWhole.transposed(1, 2)).sum([0])
      let ofBiases = try level.output.bias.tensor.reshaped([features, rank]).transposed(0, 1)
        .matmul(gradient(other.output.bias).reshaped([features, -1]))
      let ofBasis = try ofWeights + ofBiases
      #expect(try deviation(of: gradient(basis), from: ofBasis) < 1e-4)
    }
  }

  /// The same network with features of full rank.
  static func withoutBasis(_ network: DenseNetwork) throws -> DenseNetwork {
    var configuration = network.configuration
    configuration.rank = configuration.components
    let whole = try DenseNetwork(configuration, generator: Generator(seed: 1))
    try withoutGradients {
      let state = network.state()
      for (name, tensor) in whole.state() {
        guard let source = state[name], source.shape == tensor.shape else { continue }
        try tensor.copy(from: source)
      }
      for (level, other) in zip(network.levels, whole.levels) {
        let basis = try #require(level.basis).tensor  // [r, P]
        let (rank, width) = (basis.shape[0], network.configuration.width)
        let (weight, bias) = (level.output.weight.tensor, level.output.bias.tensor)
        let mixed = try weight.reshaped([-1, rank, width]).transposed(1, 2).matmul(basis)  // [F, H, P]
        try other.output.weight.tensor.copy(from: mixed.transposed(1, 2).reshaped([-1, width]))
        try other.output.bias.tensor.copy(from: bias.reshaped([-1, rank]).matmul(basis).reshaped([-1]))
      }
    }
    return whole
  }

  /// Words of the error, and the change that it names.
  nonisolated(unsafe) private static let impossible:
    [(word: String, change: (inout DenseNetwork.Configuration) -> Void)] = [
      ("shape", { $0.imageShape = [2, 8, 8] }), ("shape", { $0.imageShape = [1, 8, 9] }),
      ("at most 4096", { $0.imageShape = [3, 64, 64] }), ("components", { $0.components = 65 }),
      ("components", { $0.components = 0 }), ("rank", { $0.rank = 33 }), ("nodes", { $0.nodes = 1 }),
      ("levels", { $0.levels = 0 }), ("width", { $0.width = 0 }), ("blocks", { $0.blocks = -1 }),
      ("features", { $0.nodeFeatures = 0 }), ("classes", { $0.classes = 1 }),
      ("passes of 3", { $0.choices = .sum(3) }), ("passes of 9", { $0.choices = .patches(side: 3) }),
      ("4 x 4 patches", { ($0.choices, $0.levels, $0.components, $0.rank) = (.patches(side: 4), 16, 24, 8) }),
      ("gains", { $0.gains = 5 }),
    ]

  @Test("every invalid value is an error of one line that names it", arguments: 0..<16)
  func invalid(index: Int) throws {
    var configuration = DenseNetwork.Configuration(imageShape: [1, 8, 8], components: 32, rank: 16)
    try configuration.validate()
    Self.impossible[index].change(&configuration)
    let error = try #require(throws: ConfigurationError.self) { try configuration.validate() }.description
    #expect(error.contains(Self.impossible[index].word) && !error.contains("\n"), "\(error)")
  }
}
