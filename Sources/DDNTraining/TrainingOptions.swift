import DDN
import DDNData
import DDNFiles
import Foundation
import Torch

/// Everything that decides how a run goes; saved in the run folder as `options.json`.
public struct TrainingOptions: Codable, Sendable, Equatable {
  /// Where the images come from, a folder or a file; nil for the digits that are part of the program.
  public var dataFolder: String?
  /// What the images were when the run began, so that others are noticed; nil in runs of earlier versions.
  public var fingerprint: DatasetFingerprint?
  /// Whether every image's mirror image is added; nil, as in runs of earlier versions, for no.
  public var xflip: Bool?
  /// How 28x28 digits become 32x32: "bilinear" or "padded".
  public var resize: String
  public var network: NetworkConfiguration
  /// A model whose weights the run begins with; nil for fresh ones. It may have another number of levels.
  public var transferFile: String?
  /// Images to see in all, repeats included.
  public var images: Int
  /// Images a step.
  public var batch: Int
  /// Images that are in memory at once; a step goes through its batch in equal parts. Nil for the whole batch.
  public var microBatch: Int?
  public var learningRate: Double
  /// Over this many images at the beginning the learning rate rises from zero in a straight line; the first step's is 0.
  /// Nil for none.
  public var rampImages: Int?
  /// Over this many images at the end the learning rate falls to zero in a straight line.
  public var cooldownImages: Int
  /// Half-life of the moving average of the weights, in images; 0 for none.
  public var averageHalfLifeImages: Double
  /// Probability that a choice is replaced by chance.
  public var chainDropout: Double
  public var chainDropoutScope: ChainDropout.Scope
  public var split: SplitPolicy
  public var seed: UInt64
  /// Images between progress lines and pictures.
  public var tickImages: Int
  /// Ticks between saves.
  public var saveTicks: Int
  /// What convolutions compute in; nil, as in runs of earlier versions, for float32.
  public var precision: Precision?
  /// Threads of one operation: with another number the last bits may differ. Nil for what libtorch chooses.
  public var threads: Int?

  public init(
    network: NetworkConfiguration, transferFile: String? = nil, images: Int, dataFolder: String? = nil,
    resize: DigitDataset.Resize = .bilinear, batch: Int = 128, learningRate: Double = 1e-3, cooldownImages: Int = 0,
    averageHalfLifeImages: Double = 0, chainDropout: Double = 0.05, chainDropoutScope: ChainDropout.Scope = .batch,
    split: SplitPolicy = SplitPolicy(), seed: UInt64 = 0, tickImages: Int = 10_000, saveTicks: Int = 5
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

  /// What makes these options impossible, if anything: one line that names the option.
  public var objection: String? {
    if let objection = network.objection { return objection }
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

  /// As people read it.
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

  /// How much of the moving average stays at a step after `seen` images; it follows faster in the beginning.
  func averageDecay(after seen: Int) -> Double {
    let halfLife = min(averageHalfLifeImages, 0.05 * Double(seen))
    return pow(0.5, Double(batch) / max(halfLife, 1e-8))
  }

  /// The digits that are part of the program: 9,000 to train on and 1,000 that no training sees.
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
  ///   - cacheBytes: the most memory for decoded images; more are read while training.
  ///   - progress: is told how many images were decoded, of how many.
  /// - Throws: `FileError` when they are missing, damaged, or not what the network takes.
  public func loadImages(
    cacheBytes: Int = ImageDataset.defaultCacheBytes, progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) throws -> ImageDataset {
    let resize = DigitDataset.Resize(rawValue: resize)!  // An objection otherwise.
    let images = try Self.loadImages(dataFolder, resize: resize, cacheBytes: cacheBytes, progress: progress)
    try network.check(images, path: dataFolder ?? images.name)
    return images
  }

  /// Remembers what the images are, or compares them with what was remembered.
  ///
  /// - Throws: `FileError` (`invalid`) when they are not those that the run began with.
  public mutating func identify(_ images: ImageDataset) throws(FileError) {
    let found = try DatasetFingerprint(images)
    if let difference = fingerprint.flatMap({ found.difference(from: $0) }) {
      throw FileError(
        .invalid, path: dataFolder ?? images.name, problem: "\(difference) when this run began",
        remedy: "say with --data where the same images are, or start a new run with --transfer")
    }
    fingerprint = found
  }

  /// The images of a folder or file, or without one those that are part of the program.
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
