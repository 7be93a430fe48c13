import DDN
import Torch

/// Guided generation for many targets, with several samples for each.
public struct GuidedJob: BatchJob {
  /// A batch of samples.
  public struct Result {
    /// Targets, their numbers, 0 without targets, and seeds.
    public let batch: GuideBatch
    /// `[B]`; nil for a network without classes.
    public let classes: [Int]?
    public let samples: GuidedSampler.Samples
  }

  public static let defaultBatch = 64

  public let sampler: GuidedSampler
  public let batchSize: Int
  /// Every target has a sample of every seed.
  public let seeds: [UInt64]
  private let source: (any EncodingSource)?
  private let targetCount: Int
  private let classIndex: Int?
  private let conditionImage: Tensor?
  private let precision: Precision
  private let keepsLevels: Bool

  /// - Parameters:
  ///   - sampler: draws the samples.
  ///   - source: the targets, of the network's shape; nil for none.
  ///   - targetCount: how many of the source's images, from the first; nil for all.
  ///   - seeds: of each target's samples.
  ///   - classIndex: of all samples, for a network with classes; nil for the class that a guide asks for, or else the
  ///     target's, or else `seed % classes`.
  ///   - conditionImage: `[1, C, H, W]` in [-1, 1], for a network that is conditioned on an image; nil for the target.
  ///   - precision: of convolutions.
  ///   - keepsLevels: whether results have every level's images.
  ///   - batchSize: images in memory at once, paths and attempts included.
  public init(
    _ sampler: GuidedSampler, targets source: (any EncodingSource)? = nil, targetCount: Int? = nil, seeds: [UInt64],
    classIndex: Int? = nil, conditionImage: Tensor? = nil, precision: Precision = .float32, keepsLevels: Bool = false,
    batchSize: Int = defaultBatch
  ) {
    precondition(batchSize > 0 && !seeds.isEmpty, "\(batchSize) images a batch and \(seeds.count) seeds")
    self.sampler = sampler
    self.source = source
    self.targetCount = source.map { min(targetCount ?? $0.count, $0.count) } ?? 1
    self.seeds = seeds
    self.classIndex = classIndex
    self.conditionImage = conditionImage
    self.precision = precision
    self.keepsLevels = keepsLevels
    self.batchSize = max(1, batchSize / sampler.width)
  }

  /// Samples in all, in the order of targets.
  public var count: Int { targetCount * seeds.count }

  /// - Throws: what the sampler and the source throw.
  public func callAsFunction(_ range: Range<Int>) throws -> Result {
    let network = sampler.network
    let numbers = range.map { $0 / self.seeds.count }
    let seeds = range.map { self.seeds[$0 % self.seeds.count] }
    var (targets, labels): (Tensor?, [Int]?)
    if let source {
      let first = numbers[0]
      let read = try source.images(in: first..<numbers.last! + 1)
      let rows = try Tensor(numbers.map { $0 - first }, shape: [numbers.count]).to(network.device)
      targets = try read.images.gathered(rows)
      labels = try read.classes?.gathered(rows).array(Int.self)
    }
    let batch = GuideBatch(targets: targets, targetNumbers: numbers, seeds: seeds)
    var classes: [Int]?
    if network.classes > 0 {
      let known = sampler.guide.classes(for: batch, of: network.classes) ?? labels
      classes = seeds.indices.map { place in
        classIndex ?? known?[place] ?? Int(seeds[place] % UInt64(network.classes))
      }
    }
    let samples = try withoutGradients {
      try withPrecision(precision, on: network.device) {
        try sampler(batch, condition: { try condition(of: $0, classes: classes) }, keepsLevels: keepsLevels)
      }
    }
    return Result(batch: batch, classes: classes, samples: samples)
  }

  /// What the images of a batch are conditioned on, each image perhaps several times in a row.
  private func condition(of batch: GuideBatch, classes: [Int]?) throws -> Condition {
    let network = sampler.network
    let repeated = try classes.map { classes in
      let times = batch.count / classes.count
      return try Tensor(classes.flatMap { Array(repeating: $0, count: times) }, shape: [batch.count]).to(network.device)
    }
    let sources = try conditionImage?.expanded([batch.count] + network.imageShape) ?? batch.targets
    return network.condition(classes: repeated, sources: sources)
  }
}
