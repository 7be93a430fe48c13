import DDN
import Foundation
import Testing
import Torch

@testable import DDNTraining

/// L2 on the mean brightness of images.
private struct ShadeObjective: Objective {
  func losses(of step: LevelStep) throws -> Tensor {
    let output = step.output
    let sized = try step.target.sized(height: output.chosen.shape[2], width: output.chosen.shape[3])
    return try (output.imagesPerSample().mean([1, 2, 3]) - sized.mean([1, 2, 3])).squared()
  }
}

/// Chooses the first node, and keeps what it chose from.
private final class StepChooser: Chooser {
  private(set) var candidates: Candidates?

  func choose(from candidates: Candidates) throws -> Choice {
    self.candidates = candidates
    return try GivenChooser([.zeros([candidates.samples], dtype: .int64)]).choose(from: candidates)
  }
}

@Suite("Objectives") struct ObjectiveTests {
  @Test("training minimizes the given objective") func given() throws {
    let (settings, data) = (SmallTraining.options(learningRate: 1e-2), try SmallTraining.data())
    func loss(_ objective: (any Objective)?, steps: Int) throws -> (first: Double, last: Double) {
      let trainer = try Trainer(settings, data: data, device: .cpu, objective: objective)
      var losses: [Double] = []
      for _ in 0..<steps {
        try trainer.step()
        losses.append(try trainer.takeLosses().reduce(0, +))
      }
      return (losses.prefix(3).reduce(0, +), losses.suffix(3).reduce(0, +))
    }
    let shade = try loss(ShadeObjective(), steps: 60)
    #expect(shade.last < 0.75 * shade.first)
    let (absolute, squared) = (try loss(PixelObjective(.absolute), steps: 1), try loss(nil, steps: 1))
    #expect(absolute.first != squared.first && shade.first != squared.first)
  }

  /// A dense network of digits.
  static func dense(split: SplitPolicy.Rule = .totalVariation) -> TrainingOptions {
    TrainingOptions(
      network: NetworkConfiguration(
        DenseNetwork.Configuration(
          imageShape: [1, 32, 32], components: 16, nodes: 16, levels: 3, width: 16, nodeFeatures: 4, rank: 8)),
      images: 6400, batch: 64, learningRate: 2e-3, chainDropout: 0, split: SplitPolicy(rule: split), seed: 3)
  }

  static func trained(_ options: TrainingOptions, steps: Int = 100) throws -> Trainer {
    let trainer = try Trainer(options, data: SmallTraining.data(), device: .cpu)
    try trainer.fit()
    for _ in 0..<steps { try trainer.step() }
    return trainer
  }

  @Test("a bias by use makes nodes be used alike") func balance() throws {
    func perplexity(_ balance: Double?) throws -> Double {
      var options = Self.dense(split: .none)
      options.balance = balance
      return try Self.trained(options).perplexities[0]
    }
    #expect(try perplexity(1) > 15.5 && perplexity(nil) < 15)
  }

  @Test("a soft minimum trains every node at first, and is the plain loss in the second half") func softMinimum() throws
  {
    var options = Self.dense(split: .none)
    options.softMinimum = 2
    let data = try SmallTraining.data()
    let trainer = try Trainer(options, data: data, device: .cpu)
    try trainer.fit()
    func untouched() throws -> Int {
      let weight = trainer.network.layer(at: 0).weight.tensor
      let gradient = try #require(try weight.gradient()).reshaped([16, 4]).absolute().sum([1])
      return try gradient.array(Float.self).filter { $0 == 0 }.count
    }
    try trainer.step()
    #expect(try untouched() == 0)
    for _ in 1..<60 { try trainer.step() }
    _ = try trainer.takeLosses()
    let batch = try data.batch(Array(0..<64))
    let target = Target(batch.images)
    var run = try trainer.network.begin(samples: 64, condition: .none)
    func losses(progress: Double) throws -> (soft: [Float], plain: [Float]) {
      let candidates = try run.candidates()
      let step = LevelStep(
        candidates: candidates, output: try run.advance(by: NearestChooser(target)), target: target, levels: 3,
        progress: progress)
      return (
        try SoftMinimum(temperature: 2).losses(of: step).array(), try PixelObjective().losses(of: step).array()
      )
    }
    let early = try losses(progress: 0.1)
    #expect(zip(early.soft, early.plain).allSatisfy { $0 > $1 })
    let late = try losses(progress: 0.5)
    #expect(late.soft == late.plain)
  }

  @Test("the psnr loss is the logarithm of the squared one, whose gradient counts small errors more")
  func psnr() throws {
    let layer = try DiscreteDistributionLayer(
      .init(nodes: 2, imageChannels: 1, featureChannels: 1, leaksChoice: false), generator: Generator(seed: 1))
    let target = Target(try .zeros([4, 1, 1, 1]))
    /// Losses and features' gradients of four images whose errors are as 1, 4, 9 and 16.
    func losses(_ loss: PixelLoss) throws -> (values: [Double], gradients: [Double]) {
      let features = try Tensor([1, 2, 3, 4] as [Float], shape: [4, 1, 1, 1])
      try features.setRequiresGradient(true)
      let chooser = StepChooser()
      let output = try layer(
        level: 0, features: features, previous: nil, paths: .separate(samples: 4), chooser: chooser)
      let step = LevelStep(
        candidates: try #require(chooser.candidates), output: output, target: target, levels: 1, progress: 0)
      let values = try PixelObjective(loss).losses(of: step)
      try values.sum().backward()
      return (try values.array(Double.self), try #require(try features.gradient()).array(Double.self))
    }
    let (plain, relative) = (try losses(.squared), try losses(.psnr))
    let mean = plain.values.reduce(0, +) / 4
    for image in 0..<4 {
      let error = plain.values[image]
      #expect(abs(relative.values[image] / (mean * (1 + log(error / mean))) - 1) < 1e-4)
      #expect(abs(relative.gradients[image] / plain.gradients[image] * error / mean - 1) < 1e-4)
    }
  }

  @Test("an energy score is that of its definition, and least for the targets' own distribution") func energy() throws {
    let images = try Tensor.normal([4, 3, 1, 2, 2], generator: Generator(seed: 2))  // [B, K, C, H, W]
    let target = try Tensor.normal([4, 1, 2, 2], generator: Generator(seed: 3))
    let candidates = try Candidates(images: images)
    func rootMeanSquare(_ first: Tensor, _ second: Tensor) throws -> Double {
      try (first - second).squared().mean().item().squareRoot()
    }
    let scores = try EnergyScore().losses(of: Self.step(candidates, Target(target))).array(Double.self)
    for image in 0..<4 {
      let nodes = try (0..<3).map { try images.select(0, image).select(0, $0) }
      let goal = try target.select(0, image)
      let near = try nodes.map { try rootMeanSquare($0, goal) }.reduce(0, +) / 3
      let apart = try nodes.flatMap { node in try nodes.map { try rootMeanSquare(node, $0) } }.reduce(0, +) / 9
      #expect(abs(scores[image] - (near - apart / 2)) < 2e-3)
    }
  }

  static func step(_ candidates: Candidates, _ target: Target) throws -> LevelStep {
    let network = try DenseNetwork(
      .init(imageShape: [1, 2, 2], components: 4, nodes: 3, levels: 1, width: 4, rank: 4), generator: Generator(seed: 1)
    )
    var run = try network.begin(samples: candidates.samples, condition: .none)
    return LevelStep(
      candidates: candidates, output: try run.advance(by: GivenChooser([.zeros([candidates.samples], dtype: .int64)])),
      target: target,
      levels: 1, progress: 0)
  }

  @Test("a feature distance is zero before the last level and for the target, and has gradients") func features() throws
  {
    var options = Self.dense()
    options.featureTerm = .init(classifier: "test", weight: 1)
    let objective = try options.objective(on: .cpu, featureMaps: { [$0, try $0.maxPooled(2, stride: 2)] })
    let trainer = try Trainer(options, data: SmallTraining.data(), device: .cpu, objective: objective)
    try trainer.fit()
    try trainer.step()
    let first = try trainer.takeLosses()
    options.featureTerm = nil
    let plain = try Self.trained(options, steps: 1).takeLosses()
    #expect(first[..<2] == plain[..<2] && first[2] > plain[2] + 0.01)
    for _ in 0..<60 { try trainer.step() }
    _ = try trainer.takeLosses()
    try trainer.step()
    #expect(try trainer.takeLosses()[2] < first[2])
  }

  @Test("a sample distance is that of its definition") func sampleDistance() throws {
    let (drawn, data) = (
      try Tensor.normal([5, 3], generator: Generator(seed: 4)),
      try Tensor.normal([5, 3], generator: Generator(seed: 5))
    )
    let classes = [0, 1, 0, 1, 1]
    let rows = try (drawn.array(Double.self), data.array(Double.self))
    func distance(_ first: [Double], _ i: Int, _ second: [Double], _ j: Int) -> Double {
      (0..<3).map { (first[3 * i + $0] - second[3 * j + $0]) * (first[3 * i + $0] - second[3 * j + $0]) }
        .reduce(0, +).squareRoot()
    }
    func mean(sameClass: Bool, _ value: (Int, Int) -> Double) -> Double {
      let pairs = (0..<5).flatMap { i in (0..<5).map { (i, $0) } }
        .filter { $0.0 != $0.1 && (!sameClass || classes[$0.0] == classes[$0.1]) }
      return pairs.map(value).reduce(0, +) / Double(pairs.count)
    }
    func excess(sameClass: Bool) -> Double {
      mean(sameClass: sameClass) { 2 * distance(rows.0, $0, rows.1, $1) }
        - mean(sameClass: sameClass) { distance(rows.0, $0, rows.0, $1) }
        - mean(sameClass: sameClass) { distance(rows.1, $0, rows.1, $1) }
    }
    let unit = mean(sameClass: false) { distance(rows.1, $0, rows.1, $1) }
    func loss(_ classes: [Int]?) throws -> Double {
      try SampleEnergyDistance { try $0.reshaped([5, 3]) }.distance(
        RandomImages(
          drawn: drawn.reshaped([5, 3, 1, 1]), data: data.reshaped([5, 3, 1, 1]),
          classes: classes.map { try Tensor($0.map(Float.init), shape: [5]).to(.int64) })
      ).item()
    }
    #expect(try abs(loss(nil) - excess(sameClass: false) / unit) < 1e-5)
    #expect(try abs(loss(classes) - (excess(sameClass: false) + excess(sameClass: true)) / unit) < 1e-5)
    #expect(try abs(loss([0, 1, 2, 3, 4]) - excess(sameClass: false) / unit) < 1e-5, "no two images of a class")
  }

  @Test("a sample distance brings random images nearer to the data, and resumes to the same weights")
  func samplesNearData() throws {
    var options = Self.dense()
    options.sampleTerm = .init(classifier: "test", weight: 1)
    let features = { (images: Tensor) in try images.resizedArea(height: 4, width: 4).reshaped([-1, 16]) }
    let data = try SmallTraining.data()
    func trainer(_ options: TrainingOptions) throws -> Trainer {
      try Trainer(
        options, data: data, device: .cpu, objective: options.objective(on: .cpu, sampleFeatures: features))
    }
    func distance(_ trainer: Trainer) throws -> Double {
      try SampleEnergyDistance(features: features).distance(
        RandomImages(
          drawn: trainer.network.decode((0..<500).map { LatentCode(seed: $0, in: trainer.network.codeSpace) }),
          data: data.batch(Array(0..<500)).images, classes: nil)
      ).item()
    }
    let whole = try trainer(options)
    try whole.fit()
    for _ in 0..<60 { try whole.step() }
    #expect(try distance(whole) < 0.5 * distance(Self.trained(Self.dense(), steps: 60)))

    let scratch = try Scratch()
    let first = try trainer(options)
    try first.fit()
    for _ in 0..<30 { try first.step() }
    try Checkpoint.save(
      first,
      summary: TrainingSummary(
        data: "test", images: first.images, elapsedSeconds: 1, lossOfLevels: [], perplexityOfLayers: []),
      in: scratch.url)
    let second = try trainer(options)
    _ = try Checkpoint.load(try #require(try Checkpoint.all(in: scratch.url).first), into: second)
    for _ in 0..<30 { try second.step() }
    #expect(try TrainerState(second).differences(from: TrainerState(whole)).isEmpty)
    options.microBatch = 1
    #expect(throws: ConfigurationError.self) { try options.validate() }
    options.microBatch = nil
    #expect(throws: ConfigurationError.self) { try options.validate(ranks: 2) }
  }

  @Test("weights of levels have a mean of 1 and grow to the last", arguments: [0.25, 4])
  func lastLevelWeight(weight: Double) throws {
    // One step of stochastic descent moves the last layer in proportion to its weight; Adam hides it, gradients do not.
    func gradient(_ weight: Double?) throws -> (first: Double, last: Double) {
      var options = Self.dense()
      options.lastLevelWeight = weight
      let trainer = try Self.trained(options, steps: 1)
      func size(_ level: Int) throws -> Double {
        try #require(try trainer.network.layer(at: level).weight.tensor.gradient()).absolute().sum().item()
      }
      return (try size(0), try size(2))
    }
    let (weighted, plain) = (try gradient(weight), try gradient(nil))
    // The last layer has one loss; those before add to all later ones.
    #expect(abs(weighted.last / plain.last - 2 * weight / (1 + weight)) < 1e-3)
  }

  @Test("the default objective is the options' loss, by default squared") func options() throws {
    let (settings, data) = (SmallTraining.options(learningRate: 1e-2), try SmallTraining.data())
    func first(_ options: TrainingOptions, _ objective: (any Objective)? = nil) throws -> [Double] {
      let trainer = try Trainer(options, data: data, device: .cpu, objective: objective)
      try trainer.step()
      return try trainer.takeLosses()
    }
    var options = settings
    options.loss = .absolute
    #expect(try first(options) == first(settings, PixelObjective(.absolute)))
    #expect(try first(settings) == first(settings, PixelObjective(.squared)))
  }
}
