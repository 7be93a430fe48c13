import DDN
import GoldenSupport
import Testing
import Torch

/// The Discrete Distribution Layer against the original's, for every configuration of `Golden/C`.
@Suite("Layer, compared to the original")
struct LayerGoldenTests {
  static let names = Golden.names(in: "C")

  @Test("all 36 golden layers exist")
  func complete() {
    #expect(Self.names.count == 36)
  }

  @Test("a target gives the same choices, images and leaked choices", arguments: names, NodeDistances.Form.allCases)
  func evaluation(name: String, form: NodeDistances.Form) throws {
    let golden = try GoldenLayer(name)
    let chooser = FormChooser(golden.target, form, measure: golden.measure)
    let output = try golden.run(chooser)
    let distances = try #require(output.distances)
    let file = golden.file
    #expect(try output.codes.array(Int.self) == file.integers("eval.idx_k"))
    #expect(try file.deviation(of: distances, from: "eval.distance_matrix") <= Tolerance.layer)
    #expect(try file.deviation(of: try #require(chooser.images), from: "eval.outputs") <= Tolerance.layer)
    #expect(try golden.deviation(of: output, in: "eval") <= Tolerance.layer)
    #expect(try file.deviation(of: golden.losses(output), from: "eval.distance") <= Tolerance.layer)
    let size = Array(golden.features.shape[2...])
    let sized = try golden.target.sized(height: size[0], width: size[1])
    #expect(try file.deviation(of: sized, from: "eval.target_resized") <= Tolerance.layer)
    #expect((output.leakedChoice == nil) == !golden.settings.leaksChoice)
  }

  @Test("given codes give the same images and leaked choices", arguments: names)
  func decoding(name: String) throws {
    let golden = try GoldenLayer(name)
    let codes = try golden.file.integers("decode.idx_k")
    let output = try golden.run(GivenChooser([golden.codes(codes)]))
    #expect(try output.codes.array(Int.self) == codes)
    #expect(output.distances == nil)
    #expect(try golden.deviation(of: output, in: "decode") <= Tolerance.layer)
  }

  @Test("random numbers in 0..<1 become the original's codes", arguments: names)
  func fractions(name: String) throws {
    let golden = try GoldenLayer(name)
    let (samples, nodes) = (golden.settings.samples, golden.settings.nodes)
    let fractions = try golden.file.floats("float.codes_in").prefix(samples)
    let codes = fractions.map { min(Int(Float(nodes) * $0), nodes - 1) }
    #expect(try codes == golden.file.floats("float.codes_after").prefix(samples).map { Int($0) })
    let output = try golden.run(GivenChooser([golden.codes(codes)]))
    #expect(try golden.deviation(of: output, in: "float") <= Tolerance.layer)
  }

  @Test("training gives the same losses and gradients", arguments: names)
  func training(name: String) throws {
    let golden = try GoldenLayer(name)
    let file = golden.file
    golden.layer.setMode(.training)
    let output = try golden.run(golden.nearest)
    let losses = try golden.losses(output)
    let loss = try losses.mean()
    #expect(try golden.deviation(of: output, in: "train") <= Tolerance.layer)
    #expect(try file.deviation(of: losses, from: "train.loss_per_sample") <= Tolerance.layer)
    #expect(try file.deviation(of: loss, from: "train.loss") <= Tolerance.layer)

    var terms = [try (output.images * file.input("train.cot_predict")).reshaped([-1])]
    if let leak = output.leakedChoice { terms.append(try (leak * file.input("train.cot_feat_leak")).reshaped([-1])) }
    let products = try Tensor.concatenate(terms)
    let total = try loss + products.sum()
    // The terms cancel, so the tolerance is relative to their magnitudes.
    let difference = try total.item() - file.tensor("train.total").item()
    #expect(try abs(difference) <= Tolerance.layer * products.absolute().sum().item())
    try total.backward()
    try expectGradients(golden, "train")
  }

  @Test("the loss alone gives the same gradients", arguments: names)
  func trainingOfTheLoss(name: String) throws {
    let golden = try GoldenLayer(name)
    try golden.losses(golden.run(golden.nearest)).mean().backward()
    try expectGradients(golden, "train_lossonly")
  }

  /// The counters are those after two runs of the same batch: one for the total, one for the loss alone.
  @Test("training gives the same counters", arguments: names)
  func counters(name: String) throws {
    let golden = try GoldenLayer(name)
    let holder = LayerHolder(golden.layer)
    _ = try golden.run(golden.nearest)  // Evaluation records nothing.
    holder.setMode(.training)
    for _ in 0..<2 { _ = try golden.run(golden.nearest) }
    let splitting = SplitAndPrune(policy: .init(rule: .none), network: holder)
    let events = try splitting.step(optimizer: Adam(holder, learningRate: 0))
    #expect(events.isEmpty)
    let statistics = golden.layer.statistics
    let file = golden.file
    #expect(try statistics.counts == file.floats("train.sdd_count").map { Double($0) })
    #expect(try statistics.rivalCounts == file.floats("train.sdd_near2").map { Double($0) })
    let sums = try file.floats("train.sdd_loss_acc").map { Double($0) }
    #expect(deviation(of: statistics.distanceSums, from: sums) <= Tolerance.layer)
    #expect(statistics.images == 2 * golden.settings.samples && statistics.batches == 2)
  }

  @Test("shared and separate paths give the same images and gradients", arguments: names)
  func sharing(name: String) throws {
    let golden = try GoldenLayer(name)
    let samples = golden.settings.samples
    func run(_ paths: SharedPaths) throws -> (output: LevelOutput, gradients: [Tensor]) {
      let leaves = try ([golden.features, golden.previous] as [Tensor?]).compactMap { leaf -> Tensor? in
        let copy = try leaf?.detached().slice(0, 0..<1).cloned()
        try copy?.setRequiresGradient(true)
        return copy
      }
      let inputs = try leaves.map { try $0.expanded([paths.rows] + $0.shape[1...]) }
      let output = try golden.layer(
        level: 0, features: inputs[0], previous: inputs.count > 1 ? inputs[1] : nil, paths: paths,
        chooser: golden.nearest)
      let leak = try output.leakedChoice.map { try output.paths.perSample($0) }
      var total =
        try golden.losses(output).sum()
        + (output.imagesPerSample() * golden.file.input("train.cot_predict")).sum()
      if let leak { total = try total + (leak * golden.file.input("train.cot_feat_leak")).sum() }
      try golden.layer.weight.tensor.clearGradient()
      try total.backward()
      let weightGradient = try #require(try golden.layer.weight.tensor.gradient()).cloned()
      return (output, try [weightGradient] + leaves.compactMap { try $0.gradient() })
    }
    let separate = try run(.separate(samples: samples))
    let shared = try run(SharedPaths(samples: samples, device: Golden.device))
    let codes = try separate.output.codes.array(Int.self)
    #expect(try shared.output.codes.array(Int.self) == codes)
    #expect(try deviation(of: shared.output.imagesPerSample(), from: separate.output.images) <= Tolerance.layer)
    #expect(shared.gradients.count == separate.gradients.count)
    for (gradient, expected) in zip(shared.gradients, separate.gradients) {
      #expect(try deviation(of: gradient, from: expected) <= Tolerance.layer)
    }
  }

  /// Compares the file's gradients; expects none for the previous image if the file has none.
  private func expectGradients(_ golden: GoldenLayer, _ section: String) throws {
    let leaves: [(String, Tensor?)] = [
      ("multi_out_conv1x1.weight", golden.layer.weight.tensor), ("feat_last", golden.features),
      ("predict", section == "train" ? golden.previous : nil),
    ]
    for (name, leaf) in leaves {
      let key = "\(section).grad.\(name)"
      let gradient = try leaf?.gradient()
      #expect((gradient != nil) == (golden.file.entries[key] != nil), "\(key)")
      if let gradient { #expect(try golden.file.deviation(of: gradient, from: key) <= Tolerance.layer, "\(key)") }
    }
  }
}
