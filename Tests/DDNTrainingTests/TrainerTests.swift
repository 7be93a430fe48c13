import DDN
import DDNData
import Testing
import Torch

@testable import DDNTraining

@Suite("Training") struct TrainerTests {
  @Test("the loss of every level falls on real digits", arguments: SplitPolicy.Rule.allCases)
  func lossFalls(rule: SplitPolicy.Rule) throws {
    let trainer = try SmallTraining.trainer(SmallTraining.options(width: 4, images: 1920, rule: rule))
    for _ in 0..<5 { try trainer.step() }
    let before = try trainer.takeLosses()
    for _ in 0..<50 { try trainer.step() }
    _ = try trainer.takeLosses()
    for _ in 0..<5 { try trainer.step() }
    let after = try trainer.takeLosses()
    #expect(before.count == 2 && trainer.images == 1920)
    for (early, late) in zip(before, after) { #expect(late < 0.6 * early, "\(early) to \(late)") }
    let splits = trainer.network.layers[0].layer.statistics.splitImages.count
    #expect(rule == .none ? splits == 0 : splits > 0)
  }

  @Test("the same seed gives the same weights, another seed different ones") func seeds() throws {
    let trainers = try [1, 1, 2].map { try SmallTraining.trainer(SmallTraining.options(seed: $0)) }
    for trainer in trainers { for _ in 0..<3 { try trainer.step() } }
    let states = try trainers.map { try TrainerState($0) }
    #expect(states[0].differences(from: states[1]) == [] && states[0] == states[1])
    let weights = states[0].tensors.keys.filter { $0.hasPrefix("weights/") && $0.hasSuffix("convolution.weight") }
    #expect(!weights.isEmpty)
    for name in weights { #expect(states[0].tensors[name] != states[2].tensors[name], "\(name)") }
  }

  @Test("a class-conditional network learns from the classes") func classes() throws {
    let (conditional, unconditional) = (
      try SmallTraining.trainer(SmallTraining.options(isClassConditional: true)), try SmallTraining.trainer()
    )
    #expect(conditional.network.classes == 10 && unconditional.network.classes == 0)
    for trainer in [conditional, unconditional] { for _ in 0..<3 { try trainer.step() } }
    // The same seed, so only the classes differ.
    #expect(
      try TrainerState(conditional).differences(from: TrainerState(unconditional)).contains { $0.hasPrefix("weights/") }
    )
    let codes = [LatentCode](repeating: LatentCode(seed: 0, in: conditional.network.codeSpace), count: 2)
    let images = try conditional.network.decode(codes, classes: [0, 1])
    #expect(try images.slice(0, 0..<1).array(Float.self) != images.slice(0, 1..<2).array(Float.self))
  }

  @Test("with beams, the images of the path that the search finds are trained", arguments: [false, true])
  func beams(isDense: Bool) throws {
    var options = SmallTraining.options(nodes: 6)
    if isDense {
      options.network = NetworkConfiguration(
        DenseNetwork.Configuration(
          imageShape: [1, 32, 32], components: 12, nodes: 6, levels: 3, width: 8, nodeFeatures: 4, rank: 6))
    }
    let trainer = try SmallTraining.trainer(options)
    options.chainDropout = 0
    options.beams = 4
    let searching = try SmallTraining.trainer(options)
    for trainer in [trainer, searching] { try trainer.fit() }
    // The order's first batch, found by the weights before the step.
    var order = searching.order
    let images = try searching.data.batch(order.next(options.batch)).images
    var search = CodeSearch()
    search.beams = 4
    let found = try search(images, by: trainer.network)
    let nearest = try CodeSearch()(images, by: trainer.network)
    try searching.step()
    let losses = try searching.takeLosses()
    for (loss, errors) in zip(losses, found.errors) {
      #expect(abs(loss - errors.reduce(0, +) / Double(errors.count)) < 1e-5 * loss)
    }
    #expect(found.codes != nearest.codes)
  }

  @Test("a non-finite loss stops training", arguments: [1e10, 1e30, 1e100])
  func diverges(learningRate: Double) throws {
    let trainer = try SmallTraining.trainer(SmallTraining.options(learningRate: learningRate))
    let error = #expect(throws: TrainingError.self) {
      for _ in 0..<6 { try trainer.step() }
      _ = try trainer.takeLosses()
    }
    guard case .diverged? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("an infinite distance stops training before it is recorded", arguments: [4e5, 6e5, 8e5, 1e6, 3e6])
  func infiniteDistance(learningRate: Double) throws {
    var options = SmallTraining.options(learningRate: learningRate)
    options.network = .recurrent(.init(baseWidth: 2, nodes: 4, repeats: 1))
    let trainer = try SmallTraining.trainer(options)
    let error = #expect(throws: TrainingError.self) {
      for _ in 0..<20 { try trainer.step() }
      _ = try trainer.takeLosses()
    }
    guard case .diverged? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("micro-batches give the gradients of the whole batch") func microBatches() throws {
    let whole = try SmallTraining.trainer()
    var options = SmallTraining.options()
    options.microBatch = options.batch / 4
    // Chain dropout draws per micro-batch.
    options.chainDropout = 0
    let parts = try SmallTraining.trainer(options)
    var wholeOptions = SmallTraining.options()
    wholeOptions.chainDropout = 0
    let plain = try SmallTraining.trainer(wholeOptions)
    for trainer in [plain, parts] { try trainer.step() }
    let (first, second) = (try TrainerState(plain), try TrainerState(parts))
    #expect(plain.images == parts.images && whole.images == 0)
    for (a, b) in zip(try plain.takeLosses(), try parts.takeLosses()) { #expect(abs(a - b) < 1e-5 * a) }
    let moments = plain.network.namedParameters().filter { $0.parameter.isTrainable && !$0.name.contains("imageShift") }
    for (name, _) in moments {
      let (mean, other) = (plain.optimizer.moments(of: name)!.mean, parts.optimizer.moments(of: name)!.mean)
      let scale = try mean.absolute().sum().item()
      #expect(try (mean - other).absolute().sum().item() <= 1e-3 * scale + 1e-12, "\(name)")
    }
    #expect(first.tensors.keys.sorted() == second.tensors.keys.sorted())
  }

  @Test(
    "the learning rate increases from 0 over the ramp, like the original's, and decreases over the cooldown")
  func learningRates() {
    var options = SmallTraining.options(images: 1000)
    (options.batch, options.rampImages, options.cooldownImages, options.learningRate) = (10, 100, 200, 1)
    #expect(options.learningRate(after: 0) == 0)
    #expect(options.learningRate(after: 50) == 0.5)
    #expect(options.learningRate(after: 100) == 1 && options.learningRate(after: 800) == 1)
    #expect(options.learningRate(after: 900) == 0.5)
  }

  @Test("a step with a non-finite gradient is skipped and counted; many in a row stop training")
  func skippedSteps() throws {
    let trainer = try SmallTraining.trainer()
    try trainer.step()
    let before = try TrainerState(trainer)
    let parameter = trainer.network.namedParameters().first { $0.parameter.isTrainable }!.parameter.tensor
    for count in 1...Trainer.maxConsecutiveSkips {
      try trainer.optimizer.clearGradients()
      try (parameter.sum() * .infinity).backward()
      try trainer.optimizer.step()
      #expect(try trainer.optimizer.skippedSteps() == (count, count))
    }
    let changed = try before.differences(from: TrainerState(trainer))
    #expect(changed.filter { $0.hasPrefix("weights/") || $0.hasPrefix("adam/") } == [])
    #expect(throws: TrainingError.self) { try trainer.takeLosses() }
    try trainer.step()
    #expect(try trainer.optimizer.skippedSteps() == (Trainer.maxConsecutiveSkips, 0))
    #expect(try trainer.takeLosses().allSatisfy(\.isFinite))
  }

  @Test("non-finite weights are never saved") func brokenWeights() throws {
    let trainer = try SmallTraining.trainer()
    try trainer.checkWeights()
    let weight = trainer.network.namedParameters().first { $0.parameter.isTrainable }!.parameter.tensor
    try withoutGradients { try weight.copy(from: .full(weight.shape, .nan)) }
    #expect(throws: TrainingError.self) { try trainer.checkWeights() }
  }

  @Test("weights transfer from a model with another number of levels, also to the average") func transfer() throws {
    let scratch = try Scratch()
    let source = try SmallTraining.trainer(SmallTraining.options())
    try source.step()
    let file = scratch.url.appending(path: "source.safetensors")
    try Model(configuration: source.options.network, network: source.network).write(to: file)

    guard var network = source.options.network.architecture as? RecurrentNetwork.Configuration else { return }
    network.repeats += 1
    var options = SmallTraining.options()
    options.seed = 9
    options.averageHalfLifeImages = 1000
    options.network = .recurrent(network)
    #expect(options.network.weightDifference(from: source.options.network) == nil)
    let trainer = try SmallTraining.trainer(options)
    try trainer.transfer(from: file)
    for (name, tensor) in source.network.state() {
      #expect(try tensor.bytes() == trainer.network.state()[name]?.bytes(), "\(name)")
    }
    for (name, average) in trainer.average!.state() {
      #expect(try average.bytes() == source.network.state()[name]?.bytes(), "\(name)")
    }
    network.nodes *= 2
    #expect(options.network.weightDifference(from: .recurrent(network)) != nil)
  }

  @Test("an abandoned step restores all state, and the next steps are unaffected")
  func abandonedStep() throws {
    var options = SmallTraining.options()
    options.microBatch = 16
    let (quiet, disturbed) = (try SmallTraining.trainer(options), try SmallTraining.trainer(options))
    for trainer in [quiet, disturbed] { try trainer.step() }
    var calls = 0
    try disturbed.step(while: { _ in
      calls += 1
      return true
    })
    try quiet.step()
    #expect(calls > 100)
    let before = try TrainerState(disturbed)
    // In the forward and backward pass of the first micro-batch, in the second, and at the end.
    for share in [1, calls / 8, calls / 3, calls / 2 + 1, calls * 3 / 4, calls] {
      var (count, last) = (0, -1.0)
      #expect(throws: StepAbandoned.self) {
        try disturbed.step(while: { fraction in
          #expect(fraction >= last && fraction <= 1)
          last = fraction
          count += 1
          return count < share
        })
      }
      #expect(count == share)
      #expect(try TrainerState(disturbed).differences(from: before) == [])
      #expect(try TrainerState(disturbed) == before)
    }
    for _ in 0..<3 { #expect(try disturbed.step() == quiet.step()) }
    #expect(try disturbed.takeLosses() == quiet.takeLosses())
    #expect(try TrainerState(disturbed).differences(from: TrainerState(quiet)) == [])
    #expect(try TrainerState(disturbed) == TrainerState(quiet))
  }

  @Test("there is no loss without a step") func noLosses() throws {
    let trainer = try SmallTraining.trainer()
    #expect(try trainer.takeLosses() == [])
    try trainer.step()
    #expect(try trainer.takeLosses().count == 2)
    #expect(try trainer.takeLosses() == [])
  }
}

@Suite("Training options") struct TrainingOptionsTests {
  @Test("the learning rate is constant, then decreases linearly to 0") func cooldown() {
    let options = SmallTraining.options(images: 1000, learningRate: 0.5, cooldownImages: 400)
    #expect([0, 600, 700, 800, 1000, 1032].map { options.learningRate(after: $0) } == [0.5, 0.5, 0.375, 0.25, 0, 0])
    #expect(SmallTraining.options(images: 1000, learningRate: 0.5).learningRate(after: 1000) == 0.5)
  }

  @Test("Adam's learning rate is that of the images before the step") func cooldownOfAdam() throws {
    let trainer = try SmallTraining.trainer(SmallTraining.options(images: 64, learningRate: 0.5, cooldownImages: 64))
    try trainer.step()
    #expect(trainer.optimizer.learningRate == 0.5)
    try trainer.step()
    #expect(trainer.optimizer.learningRate == 0.25)
  }

  @Test("the moving average's half-life ramps up at the start") func averageDecay() {
    let options = SmallTraining.options()  // A half-life of 200 images, 32 images per step.
    #expect(options.averageDecay(after: 0) == 0)
    #expect(abs(options.averageDecay(after: 640) - 0.5) < 1e-12)
    #expect(options.averageDecay(after: 4000) == options.averageDecay(after: 1_000_000))
    #expect(abs(options.averageDecay(after: 1_000_000) - 0.8951) < 1e-4)
  }

  static let impossible: [(part: String, change: @Sendable (inout TrainingOptions) -> Void)] = [
    ("nodes", { $0.network = .recurrent(.init(nodes: 1)) }),
    ("width", { $0.network = .recurrent(.init(baseWidth: 7)) }),
    ("levels", { $0.network = .recurrent(.init(repeats: 0)) }), ("duration", { $0.images = 0 }),
    ("batch", { $0.batch = 0 }), ("learning rate", { $0.learningRate = 0 }),
    ("learning rate", { $0.learningRate = .nan }),
    ("learning rate", { $0.learningRate = .infinity }), ("cooldown", { $0.cooldownImages = 641 }),
    ("cooldown", { $0.cooldownImages = -1 }), ("half-life", { $0.averageHalfLifeImages = -1 }),
    ("half-life", { $0.averageHalfLifeImages = .infinity }), ("chain dropout", { $0.chainDropout = 1.5 }),
    ("chain dropout", { $0.chainDropout = .nan }), ("resize", { $0.resize = "stretched" }),
    ("warm-up", { $0.split.warmupImages = -1 }), ("ticks", { $0.tickImages = 0 }), ("save", { $0.saveTicks = 0 }),
    ("threads", { $0.threads = 0 }), ("threads", { $0.threads = 1_000_000_000 }),
  ]

  @Test("every invalid value is an error of one line that names it", arguments: impossible.indices)
  func refusal(index: Int) throws {
    var options = SmallTraining.options()
    try options.validate()
    let (part, change) = Self.impossible[index]
    change(&options)
    let error = try #require(throws: ConfigurationError.self) { try options.validate() }.description
    #expect(error.contains(part) && !error.contains("\n"), "\(error)")
  }

  @Test("in bfloat16 the loss is nearly that of float32, and weights stay float32")
  func bfloat16() throws {
    var options = SmallTraining.options(rule: .none)
    options.chainDropout = 0
    let exact = try SmallTraining.trainer(options)
    options.precision = .bfloat16
    let rough = try SmallTraining.trainer(options)
    for trainer in [exact, rough] { for _ in 0..<5 { try trainer.step() } }
    for (one, other) in zip(try exact.takeLosses(), try rough.takeLosses()) {
      #expect(one != other && abs(one - other) < 0.05 * one)
    }
    #expect(rough.network.namedParameters().allSatisfy { $0.parameter.tensor.dtype == .float32 })
  }
}
