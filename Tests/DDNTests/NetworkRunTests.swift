import DDN
import DDNData
import DDNModels
import Foundation
import GoldenSupport
import Testing
import Torch

@Suite("Stepped runs")
struct NetworkRunTests {
  /// Small networks of both kinds, with and without classes.
  static func network(_ kind: String) throws -> any DiscreteDistributionNetwork {
    switch kind {
    case "recurrent": try RecurrentNetwork(.init(baseWidth: 4, nodes: 4, repeats: 4), generator: Generator(seed: 3))
    case "stacked, with classes":
      try RecurrentNetwork(
        .init(baseWidth: 4, nodes: 4, repeats: 2, stacks: 2, isClassConditional: true), generator: Generator(seed: 3))
    case "pyramid": try PyramidNetworkTests.network(3)
    default: try PyramidNetworkTests.network(3, [.classNumber(of: 3), .gray])
    }
  }
  static let kinds = ["recurrent", "stacked, with classes", "pyramid", "pyramid, with conditions"]

  static func start(_ network: any DiscreteDistributionNetwork, samples: Int, seed: UInt64 = 5) throws -> (
    run: NetworkRun, targets: Tensor
  ) {
    let targets = try Tensor.uniform([samples] + network.imageShape, generator: Generator(seed: seed)) * 2 - 1
    let classes = try Tensor((0..<samples).map { $0 % 3 }, shape: [samples])
    return (
      try network.begin(samples: samples, condition: network.condition(classes: classes, sources: targets)), targets
    )
  }

  @Test("a stepped run equals a whole run, and has its codes", arguments: kinds)
  func steps(kind: String) throws {
    let network = try Self.network(kind)
    var (run, targets) = try Self.start(network, samples: 6)
    let chooser = NearestChooser(Target(targets))
    let classes = try Tensor((0..<6).map { $0 % 3 }, shape: [6])
    let outputs = try network.outputs(
      samples: 6, condition: network.condition(classes: classes, sources: targets), chooser: chooser)
    for output in outputs {
      #expect(run.level == output.level && !run.isFinished)
      let scored = try run.candidates().distances(to: Target(targets))
      let step = try run.advance(by: chooser)
      #expect(try step.codes.array(Int.self) == output.codes.array())
      #expect(try step.codes.array(Int.self) == scored.argmin(1).array())
      #expect(try step.imagesPerSample().bytes() == output.imagesPerSample().bytes())
    }
    #expect(run.isFinished)
    #expect(try run.latentCodes() == outputs.latentCodes(in: network.codeSpace))
  }

  @Test("a copy is independent", arguments: kinds)
  func copies(kind: String) throws {
    var (run, targets) = try Self.start(Self.network(kind), samples: 4)
    try run.advance(by: NearestChooser(Target(targets)))
    var copy = run
    let zeros = try Tensor.zeros([4], dtype: .int64)
    try copy.advance(by: GivenChooser([zeros, zeros]))
    #expect(run.level == 1 && copy.level == 2 && run.codes.count == 1)
    try run.advance(by: NearestChooser(Target(targets)))
    #expect(try run.codes[0].array(Int.self) == copy.codes[0].array())
    #expect(try copy.codes[1].array(Int.self) == [0, 0, 0, 0])
  }

  @Test("a selected batch continues like its parents", arguments: kinds, [[2], [5, 1], [0, 0, 3, 5, 3, 3, 1, 1, 0]])
  func selection(kind: String, parents: [Int]) throws {
    for (levels, isScored) in [(0, false), (1, true), (2, false), (2, true)] {
      var (run, targets) = try Self.start(Self.network(kind), samples: 6)
      let chooser = NearestChooser(Target(targets))
      for _ in 0..<levels { try run.advance(by: chooser) }
      if isScored { _ = try run.candidates() }  // Cached candidates must be selected, too.
      var selected = run
      try selected.select(parents)
      #expect(selected.samples == parents.count && selected.level == levels)
      let ofParents = NearestChooser(
        Target(try targets.gathered(Tensor(parents, shape: [parents.count]))))
      while !run.isFinished {
        let (whole, part) = (try run.advance(by: chooser), try selected.advance(by: ofParents))
        let codes = try whole.codes.array(Int.self)
        #expect(try part.codes.array(Int.self) == parents.map { codes[$0] }, "level \(whole.level)")
        let images = try whole.imagesPerSample().gathered(Tensor(parents, shape: [parents.count]))
        #expect(try deviation(of: part.imagesPerSample(), from: images) < 1e-5, "level \(whole.level)")
      }
      let codes = try run.latentCodes()
      #expect(try selected.latentCodes() == parents.map { codes[$0] })
    }
  }

  /// The codes of the best of `beams` paths of every target, by the distance at each level.
  private func search(_ network: any DiscreteDistributionNetwork, _ targets: Tensor, beams: Int) throws -> [LatentCode]
  {
    let samples = targets.shape[0]
    var run = try network.begin(samples: samples, condition: .none)
    var width = 1
    while !run.isFinished {
      let owners = try Tensor((0..<samples * width).map { $0 / width }, shape: [samples * width])
      let candidates = try run.candidates()
      let distances = try candidates.distances(to: Target(targets.gathered(owners))).array(Float.self)
      let branches = width * candidates.nodes  // of each target
      let best = (0..<samples).map { sample in
        (0..<branches).sorted { distances[sample * branches + $0] < distances[sample * branches + $1] }.prefix(beams)
          .map { sample * branches + $0 }
      }
      width = min(beams, branches)
      try run.select(best.flatMap { $0.map { $0 / candidates.nodes } })
      let codes = try Tensor(best.flatMap { $0.map { $0 % candidates.nodes } }, shape: [samples * width])
      try run.advance(by: GivenChooser(run.codes + [codes]))
    }
    return try stride(from: 0, to: samples * width, by: width).map { try run.latentCodes()[$0] }
  }

  @Test("a finished run is resampled, too", arguments: kinds, [[5], [0, 0, 3, 5, 3, 3, 1, 1, 0], Array(0..<6)])
  func finished(kind: String, parents: [Int]) throws {
    var (run, targets) = try Self.start(Self.network(kind), samples: 6)
    while !run.isFinished { try run.advance(by: NearestChooser(Target(targets))) }
    let (codes, images) = (try run.latentCodes(), try run.paths.perSample(#require(try run.images)))
    try run.select(parents)
    #expect(try run.latentCodes() == parents.map { codes[$0] })
    let expected = try images.gathered(Tensor(parents, shape: [parents.count]))
    #expect(try run.paths.perSample(#require(try run.images)).bytes() == expected.bytes())
  }

  @Test("beam search with one beam equals the nearest chooser, with eight it is better, with all paths never worse")
  func beams() throws {
    let network = try Model(contentsOf: Model.shippedURL("mnist-k8-l3")).network
    let digits = try DigitDataset.shipped().split(last: 200).tail
    let targets = try TrainingImages(digits, device: .cpu).batch(Array(0..<200)).images
    let nearest = try Reconstruction(of: targets, by: network)
    #expect(try search(network, targets, beams: 1) == nearest.codes)
    func errors(beams: Int) throws -> [Double] {
      let images = try network.decode(search(network, targets, beams: beams))
      return try (images - targets).squared().mean([1, 2, 3]).array(Double.self)
    }
    // Eight nodes and three levels have 64 paths before the last choice.
    #expect(try zip(errors(beams: 64), nearest.errors.last!).allSatisfy { $0 <= $1 + 1e-4 })
    let gain = try 1 - errors(beams: 8).reduce(0, +) / nearest.errors.last!.reduce(0, +)
    print("beam search with 8 beams: \((1000 * gain).rounded() / 10) % less error on 200 digits")
    #expect(gain > 0.01)
  }
}
