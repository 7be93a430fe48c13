import DDN
import GoldenSupport
import Testing
import Torch

/// The whole recurrent network against the original's, for the five cases of `Golden/E`.
@Suite("Recurrent network, compared to the original")
struct RecurrentNetworkGoldenTests {
  static let names = ["k64_L10", "k8_L3", "k8_L3_class", "k8_L3_noleak", "k8_stack2x2_learnres"]

  struct Case {
    let name: String
    let network: RecurrentNetwork
    let golden: GoldenNetwork

    init(_ name: String) throws {
      self.name = name
      golden = try GoldenNetwork(settings: "E/\(name)/meta.json", weights: "E/\(name)/params.safetensors")
      network = golden.network
    }

    var imageTolerance: Double { name == "k64_L10" ? Tolerance.imageOfTenLevels : Tolerance.image }
    var gradientTolerance: Double { name == "k64_L10" ? Tolerance.gradientOfTenLevels : Tolerance.gradient }
    func file(_ part: String) throws -> SafetensorsFile { try Golden.safetensors("E/\(name)/\(part).safetensors") }
  }

  @Test("the parameter count is the same", arguments: names)
  func parameters(name: String) throws {
    let run = try Case(name)
    #expect(run.network.parameterCount == run.golden.settings.parameters)
    let trainable = run.network.namedParameters().filter(\.parameter.isTrainable)
    #expect(trainable.reduce(0) { $0 + $1.parameter.tensor.count } == run.golden.settings.trainable)
    if name == "k64_L10" { #expect(run.network.parameterCount == 407_311) }
  }

  @Test("targets give the same choices and images", arguments: names)
  func evaluation(name: String) throws {
    let run = try Case(name)
    let file = try run.file("eval")
    let target = Target(try file.input("in.target"))
    let outputs = try run.network.outputs(
      samples: target.images.shape[0], condition: Condition(classes: file.indices("in.classi")),
      chooser: NearestChooser(target))
    #expect(outputs.count == run.network.configuration.levels)
    #expect(try outputs.flatMap { try $0.codes.array(Int.self) } == file.integers("idx_ks"))
    for output in outputs {
      #expect(try output.deviation(in: file) <= run.imageTolerance, "level \(output.level)")
      let distances = try file.deviation(
        of: try #require(output.distances), from: "L0\(output.level).distance_matrix")
      #expect(distances <= run.imageTolerance, "level \(output.level)")
    }
    let losses = try Tensor.stack(outputs.map { try $0.losses(to: target) })  // [L, B]
    #expect(try file.deviation(of: losses, from: "distances") <= run.imageTolerance)

    let last = try #require(outputs.last)
    #expect(try file.deviation(of: last.imagesPerSample(), from: "predict") <= run.imageTolerance)
    #expect(try file.deviation(of: last.paths.perSample(last.features), from: "feat_last") <= run.imageTolerance)
    if let leak = last.leakedChoice {
      #expect(try file.deviation(of: last.paths.perSample(leak), from: "feat_leak") <= run.imageTolerance)
    }
  }

  @Test("given codes give the same images", arguments: names)
  func decoding(name: String) throws {
    let run = try Case(name)
    let file = try run.file("decode")
    let codes = try file.codes("in.codes")
    let outputs = try run.network.outputs(
      samples: codes[0].count, condition: Condition(classes: file.indices("in.classi")), chooser: GivenChooser(codes))
    for output in outputs {
      #expect(try output.deviation(in: file) <= run.imageTolerance, "level \(output.level)")
    }
    let last = try #require(outputs.last)
    #expect(try file.deviation(of: last.paths.perSample(last.features), from: "feat_last") <= run.imageTolerance)

    let single = try run.network.run(
      samples: 1, condition: .none, chooser: GivenChooser(file.codes("single.in.codes"))
    ) { _ in }
    #expect(try file.deviation(of: single.imagesPerSample(), from: "single.predict") <= run.imageTolerance)
  }

  @Test("training gives the same losses, counters and gradients", arguments: names)
  func training(name: String) throws {
    let run = try Case(name)
    let file = try run.file("train")
    let target = Target(try file.input("in.target"))
    run.network.setMode(.training)
    let outputs = try run.network.outputs(
      samples: target.images.shape[0], condition: Condition(classes: file.indices("in.classi")),
      chooser: NearestChooser(target))
    let losses = try Tensor.stack(outputs.map { try $0.losses(to: target).mean() })  // [L]
    let loss = try losses.mean()
    #expect(try file.deviation(of: losses, from: "losses") <= Tolerance.loss)
    #expect(try file.deviation(of: loss, from: "mean_loss") <= Tolerance.loss)
    let last = try #require(outputs.last).imagesPerSample()
    #expect(try file.deviation(of: last, from: "predict") <= run.imageTolerance)

    try loss.backward()
    var compared = 0
    for (name, tensor) in try run.golden.comparableParameters() {
      let gradient = try #require(try tensor.gradient(), "\(name)")
      if file.entries["grad.\(name)"] != nil {
        compared += 1
        #expect(try file.deviation(of: gradient, from: "grad.\(name)") <= run.gradientTolerance, "\(name)")
      }
      if file.entries["gradsum.\(name)"] != nil {
        compared += 1
        // A sum of n numbers of this norm is at most norm * sqrt(n).
        let (sum, norm) = (try gradient.sum().item(), try gradient.squared().sum().item().squareRoot())
        let expected = try file.floats("gradsum.\(name)").map { Double($0) }
        let margin = run.gradientTolerance * expected[1]
        #expect(abs(norm - expected[1]) <= margin, "\(name)")
        #expect(abs(sum - expected[0]) <= margin * Double(gradient.count).squareRoot(), "\(name)")
      }
    }
    let golden = file.entries.keys.filter { $0.hasPrefix("grad") && !$0.contains(".te1.") }
    #expect(compared == golden.count)
    try expectCounters(run.network, file)
  }

  private func expectCounters(_ network: RecurrentNetwork, _ file: SafetensorsFile) throws {
    let splitting = SplitAndPrune(policy: .init(rule: .none), network: network)
    #expect(try splitting.step(optimizer: Adam(network, learningRate: 0)).isEmpty)
    for (index, (_, layer)) in network.layers.enumerated() {
      let statistics = layer.statistics
      func golden(_ name: String) throws -> [Double] { try file.floats("ddo\(index).sdd_\(name)").map { Double($0) } }
      #expect(try statistics.counts == golden("count"))
      #expect(try statistics.rivalCounts == golden("near2"))
      #expect(try deviation(of: statistics.distanceSums, from: golden("loss_acc")) <= Tolerance.image)
    }
  }
}
