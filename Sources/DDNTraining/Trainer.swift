import DDN
import DDNData
import Foundation
import Torch

/// Trains a network: an objective, by default L2 on the chosen images, Adam, and Split-and-Prune.
///
/// Files and clocks belong to `TrainingRun`.
public final class Trainer {
  public let options: TrainingOptions
  public let objective: any Objective
  public let network: any DiscreteDistributionNetwork
  public let optimizer: Adam
  /// The moving average of the weights, if any.
  public let average: ExponentialMovingAverage?
  /// Images seen so far, repeats included.
  public internal(set) var images = 0

  public let data: TrainingImages
  let dropoutGenerator: Generator
  var order: BatchOrder
  private let augmentation: Augmentation
  private let splitAndPrune: SplitAndPrune
  /// With the other processes of the training; nil for a single one.
  let exchange: StepExchange?
  private let share: BatchShare
  /// `[L]` sum of losses since `takeLosses()`, over `lossParts` micro-batches.
  private var lossSums: Tensor?
  private var lossParts = 0
  /// For each level `[K]`, images since `takeNodeUse()` to which the node was nearest.
  private var nodeUse: [[Int]]
  /// As many consecutive skipped steps are divergence.
  static let maxConsecutiveSkips = 20

  /// A trainer before its first image; the options' seed determines weights, order of images, their
  /// variations and chain dropout.
  ///
  /// - Parameters:
  ///   - options: valid ones.
  ///   - data: the images to learn from.
  ///   - device: of the network.
  ///   - objective: nil for the options'.
  ///   - group: the processes that share every batch, all with the same arguments and equal numbers of images; nil for a
  ///     single one.
  /// - Throws: `TorchError` when the device is missing or memory is short.
  public init(
    _ options: TrainingOptions, data: TrainingImages, device: Device, objective: (any Objective)? = nil,
    group: ProcessGroup? = nil
  ) throws {
    do throws(ConfigurationError) { try options.validate(ranks: group?.ranks ?? 1) } catch {
      preconditionFailure(error.description)
    }
    self.options = options
    self.objective = try objective ?? options.objective(on: device)
    self.data = data
    network = try options.network.makeNetwork(generator: Generator(seed: options.seed))
    try network.move(to: device)
    network.setMode(.training)
    optimizer = try Adam(
      network, learningRate: options.learningRate,
      betas: (0.9, options.secondMomentDecay ?? TrainingDefaults.secondMomentDecay),
      epsilon: options.adamEpsilon ?? TrainingDefaults.adamEpsilon)
    average = options.averageHalfLifeImages > 0 ? try ExponentialMovingAverage(network) : nil
    dropoutGenerator = try Generator(seed: options.seed, device: device)
    let share = group.map { BatchShare(rank: $0.rank, ranks: $0.ranks) } ?? .whole
    self.share = share
    order = BatchOrder(count: data.count, seed: options.seed & 0xFFFF_FFFF, rank: share.rank, ranks: share.ranks)
    augmentation = Augmentation(options.variations, share: share)
    splitAndPrune = SplitAndPrune(policy: options.split, network: network)
    nodeUse = network.codeSpace.levels.map { [Int](repeating: 0, count: $0.nodes) }
    let samples = options.forwardImages(ranks: share.ranks)
    exchange = group.map { [network, splitAndPrune] in
      StepExchange(
        $0, network: network, splitAndPrune: splitAndPrune, samples: samples,
        passes: options.batch / (samples * $0.ranks))
    }
  }

  /// Computes the parameters that a `FittedNetwork` takes from the images; no effect on other networks. Call it before
  /// the first step of new weights.
  ///
  /// - Parameter progress: called with the finished share; throwing aborts.
  /// - Throws: `FileError` for an image that cannot be decoded; `ConfigurationError` for initial nodes that the network
  ///   cannot have; what `progress` throws; `TorchError`.
  public func fit(progress: (Double) throws -> Void = { _ in }) throws {
    guard let network = network as? any FittedNetwork else { return }
    try network.fit(to: data, nodes: options.initialNodes ?? .random, progress: progress)
    try average?.restart()
  }

  /// Loads the weights of a model; the number of levels of a recurrent network may differ.
  ///
  /// - Throws: `FileError` when it is missing, damaged or of another network; the trainer is then unchanged.
  func transfer(from file: URL) throws {
    try SafetensorsFile(contentsOf: file).load(into: network.state())
    try average?.restart()
  }

  /// Trains on one batch, or abandons the step and restores the trainer.
  ///
  /// - Parameter shouldContinue: called many times per step with its finished fraction, in 0...1; false abandons the
  ///   step.
  /// - Returns: the step's splits.
  /// - Throws: `StepAbandoned`; `TrainingError.diverged` when a distance is not finite; `TorchError`.
  /// - Source: paper, Figure 3a and Algorithm 1.
  @discardableResult
  public func step(while shouldContinue: (Double) -> Bool = { _ in true }) throws -> [SplitAndPrune.Event] {
    // Forward and backward: gradients accumulate over micro-batches.
    try abandonable(shouldContinue) { progress in
      try optimizer.clearGradients()
      try objective.beginStep()
      let samples = options.forwardImages(ranks: share.ranks)
      let parts = options.batch / (samples * share.ranks)
      var sums: Tensor?  // [L]
      for part in 0..<parts {
        progress.begin(part, of: parts, levels: network.codeSpace.levels.count)
        let batch = try nextBatch(samples)
        let losses = try levelLosses(of: batch, progress)  // [L]
        var loss = try weighted(losses).mean()
        if let other = try objective.loss(ofRandom: { try randomImages(beside: batch) }) { loss = try loss + other }
        progress.beginBackward()
        let scale = options.network.architecture.lossScale / Double(parts * share.ranks)
        try (loss * scale).backward()
        sums = try sums.map { try $0 + losses.detached() } ?? losses.detached()
      }
      return (sums!, parts)
    }

    // Update: Adam, then Split-and-Prune.
    optimizer.learningRate = options.learningRate(after: images)
    try optimizer.step()
    try objective.finishStep()
    let events = try splitNodes()
    images += options.batch
    try average?.update(decay: options.averageDecay(after: images))
    return events
  }

  private struct Batch {
    /// As they are in the data.
    let originals: Tensor
    /// With random variations.
    let images: Tensor
    let classes: Tensor?
  }

  private func nextBatch(_ samples: Int) throws -> Batch {
    let batch = try data.batch(order.next(samples))
    return Batch(
      originals: batch.images, images: try augmentation(batch.images, generator: dropoutGenerator),
      classes: batch.classes)
  }

  private func condition(of batch: Batch) -> Condition {
    network.condition(classes: batch.classes, sources: batch.images, randomness: dropoutGenerator)
  }

  /// As many images of uniformly drawn codes, with the batch's conditions.
  private func randomImages(beside batch: Batch) throws -> RandomImages {
    try withPrecision(options.precision ?? .float32, on: network.device) {
      let condition = condition(of: batch)
      var run = try network.begin(samples: batch.images.shape[0], condition: condition)
      let chooser = DrawingChooser(generator: dropoutGenerator)
      while !run.isFinished { try run.advance(by: chooser) }
      return RandomImages(
        drawn: try run.paths.perSample(run.images!), data: batch.originals, classes: condition.classes)
    }
  }

  /// `[L]`, the mean loss of each level. Choices are the objective's or a beam search's, with chain dropout.
  private func levelLosses(of batch: Batch, _ stepProgress: StepProgress) throws -> Tensor {
    let images = batch.images
    let target = Target(images)
    let progress = Double(self.images) / Double(options.images)
    var losses: [Tensor] = []
    try withPrecision(options.precision ?? .float32, on: network.device) {
      var run = try network.begin(samples: images.shape[0], condition: condition(of: batch))
      let chooser = ChainDropout(
        try searched(for: images, from: run, else: balanced(objective.chooser(for: target))),
        probabilities: options.chainDropouts, scope: options.chainDropoutScope, generator: dropoutGenerator,
        share: share)
      stepProgress.finishSearch()
      while !run.isFinished {
        let candidates = try run.candidates()
        let step = LevelStep(
          candidates: candidates, output: try run.advance(by: chooser), target: target,
          levels: network.codeSpace.levels.count, progress: progress)
        losses.append(try objective.losses(of: step).mean())
        stepProgress.finishLevel()
      }
    }
    return try Tensor.stack(losses)
  }

  /// `[L]` losses with the options' weights, whose mean is 1.
  private func weighted(_ losses: Tensor) throws(TorchError) -> Tensor {
    let levels = losses.shape[0]
    guard let last = options.lastLevelWeight, levels > 1 else { return losses }
    let weights = (0..<levels).map { Float(1 + (last - 1) * Double($0) / Double(levels - 1)) * 2 / Float(1 + last) }
    return try losses * Tensor(weights, shape: [levels]).to(network.device)
  }

  private func balanced(_ chooser: any Chooser) -> any Chooser {
    guard let strength = options.balance else { return chooser }
    return BalancedChooser(chooser, network: network, strength: strength)
  }

  /// A chooser of the paths that a beam search finds, or the nearest images' with one beam.
  private func searched(
    for images: Tensor, from run: NetworkRun, else nearest: any Chooser
  ) throws -> any Chooser {
    guard let beams = options.beams, beams > 1 else { return nearest }
    var search = CodeSearch()
    search.beams = beams
    return SearchedChooser(codes: try search.choices(for: images, from: run), nearest: nearest)
  }

  /// Runs `body`, which returns sums of losses, and adds the losses of all processes; if `shouldContinue` returns false in
  /// any of them, restores all state but the gradients and throws `StepAbandoned` in all.
  private func abandonable(
    _ shouldContinue: (Double) -> Bool, _ body: (StepProgress) throws -> (losses: Tensor, parts: Int)
  ) throws {
    // The order's state, because a copy of the order would copy all indices in every step.
    let before = (order: order.state, random: try dropoutGenerator.state())
    let progress = StepProgress()
    // Processes stop within a step only: its exchange is where they agree.
    var isAbandoned = exchange != nil && !shouldContinue(0)
    func pulse() -> Bool {
      progress.countOperator()
      isAbandoned = isAbandoned || !shouldContinue(progress.fraction)
      return !isAbandoned
    }
    var result: (losses: Tensor, parts: Int)?
    do {
      if !isAbandoned { result = try withPulse(pulse) { try body(progress) } }
    } catch let error as TorchError {
      guard isAbandoned else { throw error }
    }
    if let exchange {
      let mean = try exchange(losses: result?.losses)
      result = mean.flatMap { mean in result.map { (mean, $0.parts) } }
    }
    guard let result else {
      order = BatchOrder(resuming: before.order, rank: share.rank, ranks: share.ranks)
      try dropoutGenerator.setState(before.random)
      for (_, layer) in network.layers { layer.discardObservations() }
      throw StepAbandoned()
    }
    lossSums = try lossSums.map { try $0 + result.losses } ?? result.losses
    lossParts += result.parts
  }

  private func splitNodes() throws -> [SplitAndPrune.Event] {
    do {
      return try splitAndPrune.step(optimizer: optimizer, average: average) { level, nearest in
        for node in nearest { nodeUse[level][node] += 1 }
      }
    } catch is DistanceError {
      throw TrainingError.diverged(images: images + options.batch)
    }
  }

  /// Whether there is a step since the last `takeLosses()`.
  var hasLosses: Bool { lossSums != nil }

  /// Continues after the images of a saved state.
  func move(to progress: Checkpoint.Progress) {
    order = BatchOrder(resuming: progress.order, rank: share.rank, ranks: share.ranks)
    images = progress.images
  }

  /// The mean loss of each level since the last call; empty without a step.
  ///
  /// - Throws: `TrainingError.diverged` when a loss, or the gradients of many consecutive steps, are not finite.
  public func takeLosses() throws -> [Double] {
    guard let lossSums else { return [] }
    guard try optimizer.skippedSteps().inARow < Self.maxConsecutiveSkips else {
      throw TrainingError.diverged(images: images)
    }
    let losses = try lossSums.array(Double.self).map { $0 / Double(lossParts) }
    guard losses.allSatisfy(\.isFinite) else { throw TrainingError.diverged(images: images) }
    self.lossSums = nil
    lossParts = 0
    return losses
  }

  /// For each level `[K]`, how many images each node was nearest to since the last call.
  ///
  /// Layers' `NodeStatistics` count all levels that share them, and move counts at splits.
  public func takeNodeUse() -> [[Int]] {
    defer { nodeUse = nodeUse.map { [Int](repeating: 0, count: $0.count) } }
    return nodeUse
  }

  /// - Throws: `TrainingError.diverged` when a weight is not finite.
  func checkWeights() throws {
    for (_, parameter) in network.namedParameters() where try !parameter.tensor.allFinite() {
      throw TrainingError.diverged(images: images)
    }
  }

  /// Perplexity of node use of each layer, in 1...K.
  public var perplexities: [Double] { network.layers.map(\.layer.statistics.perplexity) }
}
