import DDN
import DDNData
import DDNFiles
import Foundation
import Torch

/// Everything that decides how a run goes; saved in the run folder as `options.json`.
public struct TrainingOptions: Codable, Sendable, Equatable {
  /// The folder or file of images; nil for the shipped digits.
  public var dataFolder: String?
  /// Of the images when the run began, so that changed images are noticed; nil in runs of earlier versions.
  public var fingerprint: DatasetFingerprint?
  /// Whether every image is also seen mirrored; nil, as in runs of earlier versions, for no.
  public var xflip: Bool?
  /// How 28x28 digits become 32x32: "bilinear" or "padded".
  public var resize: String
  public var network: NetworkConfiguration
  /// The model whose weights the run begins with; nil for fresh weights.
  public var transferFile: String?
  /// The run's length in images, repeats included.
  public var images: Int
  /// Images a step.
  public var batch: Int
  /// Images in memory at once; a step accumulates the gradients of such parts. Nil for the whole batch.
  public var microBatch: Int?
  public var learningRate: Double
  /// Images of linear warm-up from learning rate 0, the first step's; nil for none.
  public var rampImages: Int?
  /// Images of linear decay to learning rate 0 at the end.
  public var cooldownImages: Int
  /// Half-life of the weights' exponential moving average, in images; 0 for none.
  public var averageHalfLifeImages: Double
  /// Probability that a choice is replaced by a random one.
  public var chainDropout: Double
  public var chainDropoutScope: ChainDropout.Scope
  public var split: SplitPolicy
  /// The pixel distance that is minimized; nil, as in runs of earlier versions, for squared.
  public var loss: NodeDistances.Measure?
  public var seed: UInt64
  /// Images between progress lines and pictures.
  public var tickImages: Int
  /// Ticks between saves.
  public var saveTicks: Int
  /// Of convolutions; nil, as in runs of earlier versions, for float32.
  public var precision: Precision?
  /// Threads of one operation, on which the last bits depend; nil for libtorch's choice.
  public var threads: Int?

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

  /// - Throws: `ConfigurationError` naming the first impossible value.
  public func validate() throws(ConfigurationError) {
    try network.validate()
    if let problem { throw ConfigurationError(problem) }
  }

  private var problem: String? {
    if images < 1 { return "the duration must be at least one image, not \(images)" }
    if !(1...1_000_000).contains(batch) { return "a batch of \(batch) images is not within 1...1000000" }
    if let microBatch, microBatch < 1 || batch % microBatch != 0 {
      return "a batch of \(batch) images does not divide into parts of \(microBatch)"
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
    if DigitDataset.Resize(rawValue: resize) == nil { return "'\(resize)' is not a way to resize digits" }
    if seed > UInt64(UInt32.max) { return "a seed is within 0...\(UInt32.max), not \(seed)" }
    if split.warmupImages < 0 { return "the split warm-up must be 0 or more images, not \(split.warmupImages)" }
    if tickImages < 1 || saveTicks < 1 { return "ticks and saves must be at least 1 apart" }
    return nil
  }

  /// Formatted for people.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }

  /// The learning rate after `seen` images.
  func learningRate(after seen: Int) -> Double {
    func share(_ part: Int, _ whole: Int) -> Double { whole > 0 ? min(1, Double(part) / Double(whole)) : 1 }
    return learningRate * share(seen, rampImages ?? 0) * share(max(images - seen, 0), cooldownImages)
  }

  /// The moving average's decay in a step after `seen` images; smaller at the beginning.
  func averageDecay(after seen: Int) -> Double {
    let halfLife = min(averageHalfLifeImages, 0.05 * Double(seen))
    return pow(0.5, Double(batch) / max(halfLife, 1e-8))
  }

  /// The shipped digits: 9,000 for training and 1,000 for tests.
  ///
  /// - Throws: `FileError` when the program's own files are damaged.
  public static func shippedDigits(
    resize: DigitDataset.Resize = .bilinear
  ) throws -> (seen: DigitDataset, unseen: DigitDataset) {
    let parts = try DigitDataset.shipped(resize: resize).split(last: 1000)
    return (parts.head, parts.tail)
  }

  /// The images that `dataFolder` and `resize` name.
  ///
  /// - Parameters:
  ///   - cacheBytes: limit on memory for decoded images; others are decoded while training.
  ///   - progress: called with the number of decoded images, of how many.
  /// - Throws: `FileError` when they are missing, damaged, or not what the network takes.
  public func loadImages(
    cacheBytes: Int = ImageDataset.defaultCacheBytes, progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) throws -> ImageDataset {
    let resize = DigitDataset.Resize(rawValue: resize)!  // Validated before.
    let images = try Self.loadImages(dataFolder, resize: resize, cacheBytes: cacheBytes, progress: progress)
    try network.check(images, path: dataFolder ?? images.name)
    return images
  }

  /// Stores the images' fingerprint, or compares them with the stored one.
  ///
  /// - Throws: `FileError` (`invalid`) when they are not the images that the run began with.
  public mutating func identify(_ images: ImageDataset) throws(FileError) {
    let found = try DatasetFingerprint(images)
    if let difference = fingerprint.flatMap({ found.difference(from: $0) }) {
      throw FileError(
        .invalid, path: dataFolder ?? images.name, problem: "\(difference) when this run began",
        remedy: "say with --data where the same images are, or start a new run with --transfer")
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
