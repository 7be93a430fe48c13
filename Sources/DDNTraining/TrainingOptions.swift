import DDN
import DDNData
import DDNFiles
import Foundation
import Torch

/// All options of a training run; saved in the run folder as `options.json`.
public struct TrainingOptions: Codable, Sendable, Equatable {
  /// The folder or file of images; nil for the shipped digits.
  public var dataFolder: String?
  /// Fingerprint of the images at the start of the run, to detect changes; nil in runs of earlier versions.
  public var fingerprint: DatasetFingerprint?
  /// Whether mirrored images are added; nil, as in runs of earlier versions, for no.
  public var xflip: Bool?
  /// The strength of random variations of the images, at most 4; nil for none.
  public var augmentation: Double?
  /// Random bends of the images, at most 0.2; nil for none. See `Augmentation.Strengths`, as for the next two.
  public var warp: Double?
  /// Random contrast that differs from place to place, at most 1; nil for none.
  public var shade: Double?
  /// Random mixtures of images, at most 2; nil for none.
  public var mix: Double?
  /// Paths of the beam search that chooses the images to train; nil for one, the nearest image of each level.
  public var beams: Int?
  /// The first temperature of a `SoftMinimum`; nil for the nearest node alone.
  public var softMinimum: Double?
  /// The weight of an `EnergyScore` beside the pixel distance; nil for none.
  public var energyWeight: Double?
  /// A `FeatureDistance` beside the pixel distance; nil for none.
  public var featureTerm: FeatureTerm?
  /// A `SampleEnergyDistance` beside the pixel distance; nil for none.
  public var sampleTerm: FeatureTerm?
  /// The weight of a `Discriminator` beside the pixel distance; nil for none.
  public var discriminatorWeight: Double?
  /// The strength of `BalancedChooser`; nil for none.
  public var balance: Double?
  /// The weight of the last level's loss in units of the first one's, linear between; nil for 1.
  public var lastLevelWeight: Double?
  /// Adam's decay of squared gradients; nil, as in runs of earlier versions, for 0.999.
  public var secondMomentDecay: Double?
  /// Added by Adam to the root of squared gradients; nil for 1e-8.
  public var adamEpsilon: Double?
  /// The nodes of a dense network to start from; nil for random ones.
  public var initialNodes: InitialNodes?
  /// Resizing of 28x28 digits to 32x32: "bilinear" or "padded".
  public var resize: String
  public var network: NetworkConfiguration
  /// The model with the initial weights; nil for random ones.
  public var transferFile: String?
  /// The run's length in images, repeats included.
  public var images: Int
  /// Images per step.
  public var batch: Int
  /// Images per forward pass of a process; a step accumulates gradients over micro-batches. Nil for the whole batch.
  public var microBatch: Int?
  public var learningRate: Double
  /// Images of linear warm-up from learning rate 0; nil for none.
  public var rampImages: Int?
  /// Images of linear decay to learning rate 0 at the end.
  public var cooldownImages: Int
  /// Half-life of the weights' exponential moving average, in images; 0 for none.
  public var averageHalfLifeImages: Double
  /// Probability that a choice is replaced by a random one.
  public var chainDropout: Double
  /// That of the last level, linear between; nil for the first one's.
  public var lastChainDropout: Double?
  public var chainDropoutScope: ChainDropout.Scope
  public var split: SplitPolicy
  /// The pixel distance to minimize; nil, as in runs of earlier versions, for squared.
  public var loss: PixelLoss?
  public var seed: UInt64
  /// Images between status lines and image grids.
  public var tickImages: Int
  /// Ticks between saves.
  public var saveTicks: Int
  /// Whether to draw the tree of codes at every tick; nil, as in runs of earlier versions, for no.
  public var film: Bool?
  /// Whether to write TensorBoard's event files; nil, as in runs of earlier versions, for yes.
  public var tensorboard: Bool?
  /// Precision of convolutions; nil, as in runs of earlier versions, for float32.
  public var precision: Precision?
  /// Threads per operation; results depend on it in the last bits. Nil for libtorch's default.
  public var threads: Int?

  /// A distance in the features of a classifier.
  public struct FeatureTerm: Codable, Sendable, Equatable {
    /// A shipped classifier's name or a file.
    public var classifier: String
    public var weight: Double

    public init(classifier: String, weight: Double) {
      self.classifier = classifier
      self.weight = weight
    }
  }

  /// How images vary.
  var variations: Augmentation.Strengths {
    .init(whole: augmentation ?? 0, warp: warp ?? 0, shade: shade ?? 0, mix: mix ?? 0)
  }

  public init(
    network: NetworkConfiguration, transferFile: String? = nil, images: Int, dataFolder: String? = nil,
    resize: DigitDataset.Resize = TrainingDefaults.resize, batch: Int = TrainingDefaults.batch,
    learningRate: Double = TrainingDefaults.learningRate, cooldownImages: Int = TrainingDefaults.cooldownImages,
    averageHalfLifeImages: Double = TrainingDefaults.averageHalfLifeImages,
    chainDropout: Double = TrainingDefaults.chainDropout,
    chainDropoutScope: ChainDropout.Scope = TrainingDefaults.chainDropoutScope,
    split: SplitPolicy = SplitPolicy(
      rule: TrainingDefaults.splitRule, warmupImages: TrainingDefaults.splitWarmupImages),
    seed: UInt64 = TrainingDefaults.seed, tickImages: Int = TrainingDefaults.tickImages,
    saveTicks: Int = TrainingDefaults.saveTicks
  ) {
    self.dataFolder = dataFolder
    self.resize = resize.rawValue
    self.network = network
    self.transferFile = transferFile
    self.images = images
    self.batch = batch
    self.learningRate = learningRate
    self.cooldownImages = cooldownImages
    self.averageHalfLifeImages = averageHalfLifeImages
    self.chainDropout = chainDropout
    self.chainDropoutScope = chainDropoutScope
    self.split = split
    self.seed = seed
    self.tickImages = tickImages
    self.saveTicks = saveTicks
  }

  /// - Parameter ranks: processes that share every batch.
  /// - Throws: `ConfigurationError` naming the first impossible value.
  public func validate(ranks: Int = 1) throws(ConfigurationError) {
    try network.validate()
    if let threads, !(1...1024).contains(threads) {
      throw ConfigurationError("\(threads) threads are not within 1...1024")
    }
    if let validationError { throw ConfigurationError(validationError) }
    if ranks > 1, discriminatorWeight != nil {
      throw ConfigurationError("a discriminator trains in one process, not \(ranks)")
    }
    if ranks > 1, sampleTerm != nil {
      throw ConfigurationError(
        "a distance of random images is that of a whole batch: it trains in one process, not \(ranks)")
    }
    guard batch % ranks == 0 else {
      throw ConfigurationError(
        "a batch of \(batch) images does not divide among \(ranks) ranks; the next that does is "
          + "\((batch / ranks + 1) * ranks)")
    }
    if let microBatch, microBatch > batch / ranks || batch / ranks % microBatch != 0 {
      throw ConfigurationError(
        "a rank's \(batch / ranks) images of a batch do not divide into micro-batches of \(microBatch)")
    }
  }

  /// Images of a forward pass of each of `ranks` processes.
  func forwardImages(ranks: Int) -> Int { microBatch ?? batch / ranks }

  private var validationError: String? {
    if images < 1 { return "the duration must be at least one image, not \(images)" }
    if !(1...1_000_000).contains(batch) { return "a batch of \(batch) images is not within 1...1000000" }
    if let microBatch, microBatch < 1 || batch % microBatch != 0 {
      return "a batch of \(batch) images does not divide into micro-batches of \(microBatch)"
    }
    if !(learningRate > 0 && learningRate.isFinite) { return "the learning rate must be above 0, not \(learningRate)" }
    if !(0...images).contains(cooldownImages) {
      return "a cooldown of \(cooldownImages) images is not within the duration"
    }
    if let rampImages, !(0...images).contains(rampImages) {
      return "a learning-rate ramp of \(rampImages) images is not within the duration"
    }
    if !(averageHalfLifeImages >= 0 && averageHalfLifeImages.isFinite) {
      return "the moving average's half-life must be 0 or more images, not \(averageHalfLifeImages)"
    }
    if !(0...1).contains(chainDropout) { return "chain dropout is a probability from 0 to 1, not \(chainDropout)" }
    if let lastChainDropout, !(0...1).contains(lastChainDropout) {
      return "the last level's chain dropout is a probability from 0 to 1, not \(lastChainDropout)"
    }
    if let adamEpsilon, !(adamEpsilon > 0 && adamEpsilon <= 1) {
      return "Adam's epsilon is above 0 and at most 1, not \(adamEpsilon)"
    }
    if initialNodes == .kmeans {
      if transferFile != nil { return "initial nodes by k-means are for new weights, not those of a model" }
      guard let dense = network.architecture as? DenseNetwork.Configuration else {
        return "initial nodes by k-means are for dense networks"
      }
      if !dense.takesFittedNodes {
        return "initial nodes by k-means need one choice a pass, no gains and no shared levels"
      }
    }
    let variations = [
      ("an augmentation of strength", augmentation, 4.0), ("a warp of", warp, 0.2), ("a shade of", shade, 1),
      ("a mix of", mix, 2),
    ]
    for (name, strength, limit) in variations {
      if let strength, !(0...limit).contains(strength) { return "\(name) \(strength) is not within 0...\(limit)" }
    }
    if let beams, !(1...4096).contains(beams) { return "\(beams) beams are not within 1...4096" }
    if let beams, beams > 1, loss == .absolute { return "a beam search in training minimizes squared errors only" }
    let weights = [
      ("temperature", softMinimum), ("energy score's weight", energyWeight),
      ("feature distance's weight", featureTerm?.weight), ("sample distance's weight", sampleTerm?.weight),
      ("balance", balance),
      ("discriminator's weight", discriminatorWeight),
      ("last level's weight", lastLevelWeight),
    ]
    for case (let name, let weight?) in weights where !(weight > 0 && weight <= 1e6) {
      return "the \(name) must be above 0 and at most 1000000, not \(weight)"
    }
    if sampleTerm != nil, microBatch ?? batch < 2 {
      return "a distance of random images needs two or more images a pass"
    }
    if let loss, loss != .squared, softMinimum != nil || energyWeight != nil {
      return "a soft minimum and an energy score are of the squared loss"
    }
    if let secondMomentDecay, !(0..<1).contains(secondMomentDecay) {
      return "Adam's second decay is within 0..<1, not \(secondMomentDecay)"
    }
    if DigitDataset.Resize(rawValue: resize) == nil { return "resize '\(resize)' is not bilinear or padded" }
    if seed > UInt64(UInt32.max) { return "a seed is within 0...\(UInt32.max), not \(seed)" }
    if split.warmupImages < 0 { return "the split warm-up must be 0 or more images, not \(split.warmupImages)" }
    if tickImages < 1 || saveTicks < 1 { return "images per tick and ticks per save must be at least 1" }
    return nil
  }

  /// Pretty-printed.
  public func json() throws -> Data { try JSONEncoder.readable.encode(self) }

  /// The probability of chain dropout of each level.
  var chainDropouts: [Double] {
    let levels = network.codeSpace.levels.count
    guard let last = lastChainDropout, levels > 1 else { return [chainDropout] }
    return (0..<levels).map { level in
      let share = Double(level) / Double(levels - 1)
      return (1 - share) * chainDropout + share * last  // Within their range, however it rounds.
    }
  }

  /// The learning rate after `seen` images: linear warm-up and decay.
  func learningRate(after seen: Int) -> Double {
    func share(_ part: Int, _ whole: Int) -> Double { whole > 0 ? min(1, Double(part) / Double(whole)) : 1 }
    return learningRate * share(seen, rampImages ?? 0) * share(max(images - seen, 0), cooldownImages)
  }

  /// The moving average's decay of the step after `seen` images; its half-life ramps up with 5% of them.
  func averageDecay(after seen: Int) -> Double {
    let halfLife = min(averageHalfLifeImages, 0.05 * Double(seen))
    return pow(0.5, Double(batch) / max(halfLife, 1e-8))
  }

  /// The shipped digits: 9,000 for training and 1,000 for tests.
  ///
  /// - Throws: `FileError` when the shipped file is damaged.
  public static func shippedDigits(
    resize: DigitDataset.Resize = .bilinear
  ) throws -> (seen: DigitDataset, unseen: DigitDataset) {
    let parts = try DigitDataset.shipped(resize: resize).split(last: 1000)
    return (parts.head, parts.tail)
  }

  /// Loads the images of `dataFolder`.
  ///
  /// - Parameters:
  ///   - cacheBytes: limit on memory for decoded images; the others are decoded during training.
  ///   - progress: called with the number of decoded images and their total.
  /// - Throws: `FileError` when they are missing, damaged, or do not fit the network.
  public func loadImages(
    cacheBytes: Int = ImageDataset.defaultCacheBytes, progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) throws -> ImageDataset {
    let resize = DigitDataset.Resize(rawValue: resize)!  // Validated before.
    let images = try Self.loadImages(dataFolder, resize: resize, cacheBytes: cacheBytes, progress: progress)
    try network.check(images, path: dataFolder ?? images.name)
    return images
  }

  /// Stores the images' fingerprint, or compares it with the stored one.
  ///
  /// - Throws: `FileError` (`invalid`) when the images are not those of the start of the run.
  public mutating func identify(_ images: ImageDataset) throws(FileError) {
    let found = try DatasetFingerprint(images)
    if let difference = fingerprint.flatMap({ found.difference(from: $0) }) {
      throw FileError(
        .invalid, path: dataFolder ?? images.name, problem: "\(difference) when this run began",
        remedy: "give the original images with --data, or start a new run with --transfer")
    }
    fingerprint = found
  }

  /// The images of a folder or file, or the shipped digits.
  ///
  /// - Throws: `FileError` when they are missing or damaged.
  public static func loadImages(
    _ path: String?, resize: DigitDataset.Resize, cacheBytes: Int = ImageDataset.defaultCacheBytes,
    progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) throws -> ImageDataset {
    guard let path else { return ImageDataset(try shippedDigits(resize: resize).seen) }
    let source = try openImages(URL(fileURLWithPath: path), resize: resize)
    return try ImageDataset(source, cacheBytes: cacheBytes) { progress($0, source.count) }
  }
}
