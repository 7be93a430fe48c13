import DDN
import DDNData
import DDNTraining
import Foundation

/// The options of a new training, from the groups of options that `ddn train` and `ddn ablate` share.
struct NewRun {
  let network: NetworkShape
  let learning: LearningOptions
  let objective: ObjectiveFlags
  let xflip: Bool
  /// Million images; nil for the network's default.
  let duration: Double?

  /// - Parameters:
  ///   - configuration: of the network.
  ///   - path: of the images; nil for the shipped digits.
  ///   - transferFile: the model with the initial weights; nil for random ones.
  /// - Throws: `UsageError`; `ConfigurationError` for an invalid network.
  func options(
    _ configuration: NetworkConfiguration, path: String?, transferFile: String? = nil
  ) throws -> TrainingOptions {
    typealias Defaults = TrainingDefaults
    let defaults = network.learning(for: configuration.architecture)
    let length = try duration.map(imageCount(fromMillions:)) ?? defaults.images
    let hasGains = (configuration.architecture as? DenseNetwork.Configuration)?.gains != nil
    if hasGains, let rule = learning.split, rule != .none {
      throw UsageError("--split \(rule.rawValue) needs separate nodes, not --gains; remove one")
    }
    let cooldown = Int(Double(length) * defaults.cooldownShare)
    var options = try TrainingOptions(
      network: configuration, transferFile: transferFile, images: length, dataFolder: path,
      resize: learning.resize ?? Defaults.resize,
      batch: learning.batch ?? defaults.batch, learningRate: learning.lr ?? defaults.learningRate,
      cooldownImages: learning.cooldown.map(imageCount(fromMillions:)) ?? cooldown,
      averageHalfLifeImages: learning.ema.map { $0 * 1e6 } ?? Defaults.averageHalfLifeImages,
      chainDropout: learning.chainDropout ?? defaults.chainDropout,
      chainDropoutScope: learning.chainDropoutPer ?? Defaults.chainDropoutScope,
      split: SplitPolicy(
        rule: hasGains ? .none : learning.split ?? Defaults.splitRule,
        warmupImages: learning.splitWarmup ?? Defaults.splitWarmupImages),
      seed: learning.seed ?? Defaults.seed, tickImages: learning.tick.map { $0 * 1000 } ?? Defaults.tickImages,
      saveTicks: learning.snap ?? Defaults.saveTicks)
    options.lastChainDropout = learning.lastChainDropout
    objective.apply(to: &options)
    options.initialNodes = objective.initialNodes
    options.secondMomentDecay = objective.beta2 ?? defaults.secondMomentDecay
    options.xflip = xflip
    options.augmentation = learning.augment
    (options.warp, options.shade, options.mix) = (learning.warp, learning.shade, learning.mix)
    options.beams = learning.beams
    options.microBatch = learning.batchGpu
    options.rampImages = try learning.lrRampup.map(imageCount(fromMillions:))
    return options
  }
}

/// - Throws: `UsageError` for too many.
func imageCount(fromMillions millions: Double) throws -> Int {
  let images = (millions * 1e6).rounded()
  guard images >= 0, images < 1e15 else { throw UsageError("\(millions) million images is not a number of images") }
  return Int(images)
}
