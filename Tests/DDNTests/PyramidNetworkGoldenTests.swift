import GoldenSupport
import Testing
import Torch

@testable import DDN

/// The whole pyramid network against the original's, for the cases of `Golden/D`.
@Suite("Pyramid network, compared to the original")
struct PyramidNetworkGoldenTests {
  @Test("all golden networks exist")
  func complete() {
    #expect(GoldenPyramid.names.count >= 15)
    #expect(GoldenPyramid.names(with: "train").count >= 12)
  }

  @Test("levels and parameter counts are the same", arguments: GoldenPyramid.names)
  func levels(name: String) throws {
    let golden = try GoldenPyramid(name)
    let levels = golden.network.configuration.levels
    #expect(levels.map { "block_\($0.name)" } == golden.settings.levels.map(\.name))
    #expect(levels.map(\.inputChannels) == golden.settings.levels.map(\.inputs))
    #expect(levels.map(\.channels) == golden.settings.levels.map(\.outputs))
    #expect(levels.map(\.nodes) == golden.settings.levels.map(\.nodes))
    #expect(levels.map(\.side) == golden.settings.levels.map(\.side))
    #expect(levels.map(\.isUp) == golden.settings.levels.map(\.isUp))
    #expect(golden.network.parameterCount == golden.settings.parameters)
    #expect(golden.network.codeSpace.levels.map(\.nodes) == levels.map(\.nodes))
  }

  @Test("targets give the same choices and images", arguments: GoldenPyramid.names)
  func evaluation(name: String) throws {
    let golden = try GoldenPyramid(name)
    let file = try golden.file("eval")
    let target = Target(try file.input("in.target"))
    let outputs = try golden.network.outputs(
      samples: golden.settings.samples, condition: golden.condition(in: file), chooser: NearestChooser(target))
    #expect(try outputs.flatMap { try $0.codes.array(Int.self) } == file.integers("idx_ks"))
    for output in outputs {
      let distances = try #require(output.distances)
      let leak = try #require(output.leakedChoice)
      try expect(output.imagesPerSample(), in: file, as: output.goldenName("predict"))
      try expect(distances, in: file, as: output.goldenName("distance_matrix"))
      try expect(
        output.paths.perSample(output.features), in: file, as: output.goldenName("feat_last"), isOptional: true)
      try expect(output.paths.perSample(leak), in: file, as: output.goldenName("feat_leak"), isOptional: true)
      let side = try output.images.shape[2]
      try expect(target.sized(height: side, width: side), in: file, as: "target_\(side)x\(side)", isOptional: true)
    }
    let losses = try outputs.map { try $0.losses(to: target).array(Double.self) }.joined()  // [L B]
    #expect(try deviation(of: Array(losses), from: file.tensor("distances").array()) <= Tolerance.pyramid)
    let last = try #require(outputs.last)
    try expect(last.paths.perSample(last.features), in: file, as: "final.feat_last", isOptional: true)
  }

  @Test("given codes give the same images", arguments: GoldenPyramid.names)
  func decoding(name: String) throws {
    let golden = try GoldenPyramid(name)
    try expectDecoding(golden, "decode")
    if name == "p16_class10" { try expectDecoding(golden, "decode_nolabel") }
  }

  private func expectDecoding(_ golden: GoldenPyramid, _ part: String) throws {
    let file = try golden.file(part)
    let codes = try file.codes("in.codes")
    let outputs = try golden.network.outputs(
      samples: codes[0].count, condition: golden.condition(in: file), chooser: GivenChooser(codes))
    var compared = 0
    for output in outputs where file.entries[output.goldenName("predict")] != nil {
      compared += 1
      #expect(try output.deviation(in: file) <= Tolerance.pyramid, "level \(output.level)")
    }
    #expect(compared == file.entries.keys.count { $0.hasSuffix(".predict") } && compared > 0)
    let last = try #require(outputs.last)
    let leak = try #require(last.leakedChoice)
    try expect(last.paths.perSample(last.features), in: file, as: "final.feat_last", isOptional: true)
    try expect(last.paths.perSample(leak), in: file, as: "final.feat_leak", isOptional: true)
  }

  @Test(
    "given codes of the first levels are kept, and targets choose the rest",
    arguments: GoldenPyramid.names(with: "eval_prefix"))
  func prefix(name: String) throws {
    let golden = try GoldenPyramid(name)
    let file = try golden.file("eval_prefix")
    let target = Target(try file.input("in.target"))
    let chooser = GivenChooser(try file.codes("in.prefix"), then: NearestChooser(target))
    let outputs = try golden.network.outputs(samples: golden.settings.samples, chooser: chooser)
    #expect(try outputs.flatMap { try $0.codes.array(Int.self) } == file.integers("idx_ks"))
    for output in outputs {
      #expect(try output.deviation(in: file) <= Tolerance.pyramid, "level \(output.level)")
    }
  }

  @Test("a seed gives the same code and pixels", arguments: GoldenPyramid.names(with: "generate"))
  func seeds(name: String) throws {
    let golden = try GoldenPyramid(name)
    let file = try golden.file("generate")
    let space = golden.network.codeSpace
    let codes = try file.integers("in.seeds").map { LatentCode(seed: UInt64($0), in: space) }
    let levels = space.levels.indices.flatMap { level in codes.map { $0.choices[level] } }
    #expect(try levels == file.integers("idx_ks"))
    let images = try golden.network.decode(codes)
    try expect(images, in: file, as: "predict")
    let pixels = try (images * 127.5 + 128).clamped(0...255).to(.uint8).transposed(1, 2).transposed(2, 3).contiguous()
    let differences = zip(try pixels.array(Int.self), try file.tensor("uint8_nhwc").array(Int.self)).map {
      abs($0 - $1)
    }
    #expect(differences.count == images.count && differences.max()! <= 1)
    #expect(differences.reduce(0, +) * 1000 <= differences.count)  // Rounding may flip a pixel at the threshold.
  }

  @Test("training gives the same losses, counters and gradients", arguments: GoldenPyramid.names(with: "train"))
  func training(name: String) throws {
    let golden = try GoldenPyramid(name)
    let (file, evaluation) = (try golden.file("train"), try golden.file("eval"))
    let network = golden.network
    let target = Target(try evaluation.input("in.target"))
    network.setMode(.training)
    let outputs = try network.outputs(
      samples: golden.settings.samples, condition: golden.condition(in: evaluation), chooser: NearestChooser(target))
    let losses = try Tensor.stack(outputs.map { try $0.losses(to: target).mean() })  // [L]
    let loss = try losses.mean()
    #expect(try file.deviation(of: losses, from: "losses") <= Tolerance.pyramidLoss)
    #expect(try file.deviation(of: loss, from: "mean_loss") <= Tolerance.pyramidLoss)
    try expect(outputs.last!.imagesPerSample(), in: file, as: "predict", isOptional: true)

    try loss.backward()
    var compared = 0
    for (name, parameter) in network.namedParameters() {
      let original = "grad.\(try golden.original(name))"
      guard file.entries[original] != nil else { continue }
      compared += 1
      let gradient = try #require(try parameter.tensor.gradient(), "\(name)")
      #expect(try file.deviation(of: gradient, from: original) <= Tolerance.pyramidGradient, "\(name)")
    }
    #expect(compared == file.entries.keys.filter { $0.hasPrefix("grad.") }.count && compared > 0)

    let splitting = SplitAndPrune(policy: .init(rule: .none), network: network)
    #expect(try splitting.step(optimizer: Adam(network, learningRate: 0)).isEmpty)
    for (output, (name, layer)) in zip(outputs, network.layers) {
      let counts = try file.floats(output.goldenName("sdd_count"))
      #expect(layer.statistics.counts == counts.map { Double($0) }, "\(name)")
    }
  }

  @Test("conditions are the same", arguments: GoldenPyramid.names, ["eval", "decode"])
  func conditions(name: String, part: String) throws {
    let golden = try GoldenPyramid(name)
    let file = try golden.file(part)
    guard file.entries["condition"] != nil else { return }
    let network = golden.network
    let condition = try golden.condition(in: file)
    let (paths, features) = try ConditionFeatures.begin(
      network.conditions, of: condition, samples: golden.settings.samples, imageShape: network.imageShape,
      device: network.device)
    try expect(paths.perSample(features.parts[0]), in: file, as: "condition")
    if case .lowResolution(let side) = network.conditions[0] {
      let small = try #require(condition.sources).resizedArea(height: side, width: side)
      try expect(small, in: file, as: "condition_resized", isOptional: true)
    }
  }

  private func expect(
    _ found: Tensor, in file: SafetensorsFile, as name: String, isOptional: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    if isOptional && file.entries[name] == nil { return }
    let deviation = try file.deviation(of: found, from: name)
    #expect(deviation <= Tolerance.pyramid, "\(name)", sourceLocation: sourceLocation)
  }
}
