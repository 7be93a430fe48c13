import DDN
import DDNData
import Foundation
import Torch

/// Trains a network: an objective, by default L2 on the chosen images, Adam, and Split-and-Prune.
///
/// A `Trainer` has no files, clocks or terminals; `TrainingRun` does.
public final class Trainer {
  public let options: TrainingOptions
  public let objective: any Objective
  public let network: any DiscreteDistributionNetwork
  public let optimizer: Adam
  /// Of the weights; nil when the options ask for none.
  public let average: ExponentialMovingAverage?
  /// Images seen so far, repeats included.
  public internal(set) var images = 0

  public let data: TrainingImages
  let dropoutGenerator: Generator
  var order: BatchOrder
  private let splitAndPrune: SplitAndPrune
  /// `[L]` sum of losses since `takeLosses()`, over `lossParts` batches or parts of batches.
  private var lossSums: Tensor?
  private var lossParts = 0
  /// So many skipped steps in a row mean divergence.
  static let mostSkippedInARow = 20

  /// A trainer before its first image. The seed decides the weights, the order of the images and chain dropout.
  ///
  /// - Parameter objective: what to minimize; nil for the options' pixel distance.
  /// - Throws: `TorchError` when the device is missing or memory is short.
  public init(
    _ options: TrainingOptions, data: TrainingImages, device: Device, objective: (any Objective)? = nil
  ) throws {
    do throws(ConfigurationError) { try options.validate() } catch { preconditionFailure(error.description) }
    self.options = options
    self.objective = objective ?? PixelObjective(options.loss ?? TrainingDefaults.loss)
    self.data = data
    network = try options.network.makeNetwork(generator: Generator(seed: options.seed))
    try network.move(to: device)
    network.setMode(.training)
    optimizer = try Adam(network, learningRate: options.learningRate)
    average = options.averageHalfLifeImages > 0 ? try ExponentialMovingAverage(network) : nil
    dropoutGenerator = try Generator(seed: options.seed, device: device)
    order = BatchOrder(count: data.count, seed: options.seed & 0xFFFF_FFFF)
    splitAndPrune = SplitAndPrune(policy: options.split, network: network)
  }

  /// Loads the weights of a model of the same network, which may have another number of levels.
  ///
  /// - Throws: `FileError` when it is missing, damaged or of another network; the trainer is then unchanged.
  func transfer(from file: URL) throws {
    try SafetensorsFile(contentsOf: file).load(into: network.state())
    try average?.restart()
  }

  /// Learns from one batch, or abandons it without a trace.
  ///
  /// - Parameter shouldContinue: called many times in a step with the finished share of it, 0 to 1; false abandons the
  ///   step.
  /// - Returns: the splits of this step.
  /// - Throws: `StepAbandoned`; `TrainingError.diverged` when a distance is not finite; `TorchError`.
  /// - Source: paper, Figure 3a and Algorithm 1.
  @discardableResult
  public func step(while shouldContinue: (Double) -> Bool = { _ in true }) throws -> [SplitAndPrune.Event] {
    // Forward and backward: gradients of the batch's parts add up.
    try abandonable(shouldContinue) { watch in
      try optimizer.clearGradients()
      let parts = options.batch / (options.microBatch ?? options.batch)
      for part in 0..<parts {
        watch.begin(part, of: parts, levels: network.codeSpace.levels.count)
        let losses = try levelLosses(of: order.next(options.batch / parts), watch.finishLevel)  // [L]
        watch.beginBackward()
        try (losses.mean() * (options.network.architecture.lossScale / Double(parts))).backward()
        try addLosses(losses.detached())
      }
    }

    // Learn: Adam on all weights, then the evolution of the nodes.
    optimizer.learningRate = options.learningRate(after: images)
    try optimizer.step()
    let events = try evolve()
    images += options.batch
    try average?.update(decay: options.averageDecay(after: images))
    return events
  }

  /// `[L]`, the mean loss of each level. Each image chooses its nearest node, or now and then a random one.
  private func levelLosses(of indices: [Int], _ finishLevel: () -> Void) throws -> Tensor {
    let batch = try data.batch(indices)
    let target = Target(batch.images)
    let chooser = ChainDropout(
      objective.chooser(for: target), probability: options.chainDropout, scope: options.chainDropoutScope,
      generator: dropoutGenerator)
    let condition = network.condition(classes: batch.classes, sources: batch.images, randomness: dropoutGenerator)
    var losses: [Tensor] = []
    try withPrecision(options.precision ?? .float32, on: network.device) {
      try network.run(samples: indices.count, condition: condition, chooser: chooser) { output in
        losses.append(try objective.losses(of: output, to: target).mean())
        finishLevel()
      }
    }
    return try Tensor.stack(losses)
  }

  /// Computes gradients; when `shouldContinue` returns false, restores everything else that they changed.
  private func abandonable(_ shouldContinue: (Double) -> Bool, _ body: (StepWatch) throws -> Void) throws {
    // The order's state, not the order: keeping that would copy all indices in the step.
    let before = (order: order.state, sums: lossSums, parts: lossParts, random: try dropoutGenerator.state())
    let watch = StepWatch()
    var isAbandoned = false
    func pulse() -> Bool {
      watch.count()
      isAbandoned = isAbandoned || !shouldContinue(watch.fraction)
      return !isAbandoned
    }
    do {
      try withPulse(pulse) { try body(watch) }
    } catch let error as TorchError {
      guard isAbandoned else { throw error }
      order = BatchOrder(resuming: before.order)
      (lossSums, lossParts) = (before.sums, before.parts)
      try dropoutGenerator.setState(before.random)
      for (_, layer) in network.layers { layer.discardObservations() }
      throw StepAbandoned()
    }
  }

  private func evolve() throws -> [SplitAndPrune.Event] {
    do { return try splitAndPrune.step(optimizer: optimizer, average: average) } catch is DistanceError {
      throw TrainingError.diverged(images: images + options.batch)
    }
  }

  private func addLosses(_ levelLosses: Tensor) throws(TorchError) {
    lossSums = try lossSums.map { (sums) throws(TorchError) in try sums + levelLosses } ?? levelLosses
    lossParts += 1
  }

  /// Whether there was a step since the last call of `takeLosses()`.
  var hasLosses: Bool { lossSums != nil }

  /// The mean loss of each level since the last call; empty when there was no step.
  ///
  /// - Throws: `TrainingError.diverged` when a loss, or many gradients in a row, are not finite.
  public func takeLosses() throws -> [Double] {
    guard let lossSums else { return [] }
    guard try optimizer.skippedSteps().inARow < Self.mostSkippedInARow else {
      throw TrainingError.diverged(images: images)
    }
    let losses = try lossSums.array(Double.self).map { $0 / Double(lossParts) }
    guard losses.allSatisfy(\.isFinite) else { throw TrainingError.diverged(images: images) }
    self.lossSums = nil
    lossParts = 0
    return losses
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

/// A step was abandoned before it changed any weight.
public struct StepAbandoned: Error {}

/// Why training could not go on; one line.
public enum TrainingError: Error, CustomStringConvertible {
  case diverged(images: Int)
  case interrupted(images: Int, savedIn: String)

  public var description: String {
    switch self {
    case .diverged(let images):
      "the loss or its gradient is no longer a number after \(images) images; start again with a lower learning rate (--lr)"
    case .interrupted(let images, let folder):
      "interrupted after \(images) images; everything is saved in \(folder), continue with --resume \(folder)"
    }
  }
}
