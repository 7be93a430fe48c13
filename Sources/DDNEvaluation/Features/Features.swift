import DDN
import DDNFiles
import DDNVision
import Foundation
import Torch

/// A detector's features of all images of a source, in a file that resumes and caches them.
public struct Features {
  public let file: FeatureFile
  /// The class of every row; nil without classes.
  public let labels: [Int]?
  /// As in messages.
  public let name: String
  public var count: Int { file.count }

  public static let defaultBatch = 64

  /// Computes the features that the file lacks, in one process.
  ///
  /// - Parameters:
  ///   - source: of the images.
  ///   - detector: computes features.
  ///   - cache: folder of feature files, created if needed; nil for a temporary file.
  ///   - batch: images in memory at once.
  ///   - shouldContinue: called between operators; false stops. It must not use tensors.
  ///   - progress: called with the number of rows.
  /// - Throws: `JobStopped`; `EvaluationError` for features that are not finite; what source and detector throw;
  ///   `FileError` when the images changed meanwhile, or the file cannot be written.
  public init(
    of source: any FeatureSource, by detector: any FeatureDetector, cache: URL?, batch: Int = defaultBatch,
    shouldContinue: () -> Bool = { true }, progress: (Int) -> Void = { _ in }
  ) throws {
    let features = try Self.shared(
      of: source, by: detector, cache: cache, batch: batch, over: nil, shouldContinue: shouldContinue,
      progress: progress)
    guard let features else { preconditionFailure("a single process has the file") }
    self = features
  }

  private init(_ file: FeatureFile, _ source: any FeatureSource) {
    (self.file, labels, name) = (file, source.labels, source.name)
  }

  /// Computes the features that the file lacks, on all processes of a group: they take turns at the batches of one process,
  /// so that the features are its features, and rank 0 writes them in order.
  ///
  /// - Parameters:
  ///   - source: of the images, equal on all ranks.
  ///   - detector: computes features, equal on all ranks.
  ///   - cache: of rank 0.
  ///   - batch: images in memory at once, of each rank.
  ///   - group: nil for a single process.
  ///   - shouldContinue: called between operators; false stops. It must not use tensors.
  ///   - progress: called on rank 0 with the number of rows.
  /// - Returns: nil on other ranks than 0, which have no file.
  /// - Throws: as `init`; `ProcessGroupError`: `difference` when a rank has other images or another detector, `lost`.
  public static func shared(
    of source: any FeatureSource, by detector: any FeatureDetector, cache: URL?, batch: Int = defaultBatch,
    over group: ProcessGroup?, shouldContinue: () -> Bool = { true }, progress: (Int) -> Void = { _ in }
  ) throws -> Features? {
    let identity = "\(detector.identity)\n\(source.identity)"
    try group?.checkAgreement(on: identity)
    var file: FeatureFile?
    if group?.isMain ?? true {
      if let cache { try Folder.create(cache) }
      let url = cache?.appendingPathComponent("\(FileIdentity.checksum(of: [identity])).features")
      file = try FeatureFile(url, identity: identity, featureCount: detector.featureCount)
    }
    let start = try (file?.count ?? 0).shared(over: group)
    let job = FeatureJob(source: source, detector: detector, start: start, batchSize: batch)
    try job.run(over: group, shouldContinue: shouldContinue) { features in
      guard let file else { return }
      try file.append(features)
      progress(file.count)
    }
    try source.checkUnchanged()
    return file.map { Features($0, source) }
  }

  /// Calls `body` with all rows, in order, a bounded number at a time.
  ///
  /// - Parameters:
  ///   - classIndex: only rows of this class; nil for all.
  ///   - body: with `[n, F]`.
  /// - Throws: what `body` throws; `FileError`; `TorchError`.
  func forEachBlock(classIndex: Int? = nil, _ body: (Tensor) throws -> Void) throws {
    let indices = classIndex.map { index in labels!.indices.filter { labels![$0] == index } } ?? Array(0..<count)
    for start in stride(from: 0, to: indices.count, by: Self.blockRows) {
      try body(file.rows(Array(indices[start..<min(start + Self.blockRows, indices.count)])))
    }
  }

  static let blockRows = 1024

  /// Mean and covariance.
  ///
  /// - Parameter classIndex: only of images of this class; nil for all.
  /// - Throws: `EvaluationError` for fewer than two images; `FileError`; `TorchError`.
  public func statistics(classIndex: Int? = nil) throws -> FrechetDistance.Statistics {
    var moments = FeatureMoments()
    try forEachBlock(classIndex: classIndex) { try moments.add($0) }
    return try moments.statistics()
  }
}

/// The rows that a feature file lacks.
private struct FeatureJob: BatchJob {
  let source: any FeatureSource
  let detector: any FeatureDetector
  let start: Int
  let batchSize: Int
  var count: Int { max(source.count - start, 0) }

  /// `[range.count, F]`.
  func callAsFunction(_ range: Range<Int>) throws -> Tensor {
    let images = range.lowerBound + start..<range.upperBound + start
    let features = try withoutGradients {
      try source.pixels(in: images).map { pixels in try detector.features(of: pixels).to(.cpu) }
    }
    let all = try features.count == 1 ? features[0] : .concatenate(features)
    guard try all.allFinite() else {
      throw EvaluationError(
        "\(source.name): the features of an image among \(images.lowerBound)...\(images.upperBound - 1) are not finite; "
          + "check the detector's weights")
    }
    return all
  }

  /// Computes all rows; every rank has a batch in turn.
  ///
  /// - Parameter body: called on rank 0 with each batch's features, in order.
  func run(over group: ProcessGroup?, shouldContinue: () -> Bool, _ body: (Tensor) throws -> Void) throws {
    guard let group else { return try run(shouldContinue: shouldContinue) { try body($1) } }
    let batches = batches
    for first in stride(from: 0, to: batches.count, by: group.ranks) {
      guard shouldContinue() else { throw JobStopped() }
      var own = Data()
      if first + group.rank < batches.count {
        own = try self(batches[first + group.rank], while: shouldContinue).to(.float32).contiguous().bytes()
      }
      let parts = try group.gather(own)
      guard group.isMain else { continue }
      for (part, range) in zip(parts, batches[first...]) {
        try body(
          part.withUnsafeBytes {
            try Tensor(bytes: $0, shape: [range.count, detector.featureCount], dtype: .float32)
          })
      }
    }
  }
}

extension Int {
  /// Rank 0's number, on all ranks.
  fileprivate func shared(over group: ProcessGroup?) throws -> Int {
    guard let group else { return self }
    let number = try Tensor([self], shape: [1])
    try group.broadcast(number)
    return try number.array(Int.self)[0]
  }
}

extension ProcessGroup {
  /// - Throws: `ProcessGroupError` (`difference`) on all ranks, naming the first that differs from rank 0.
  fileprivate func checkAgreement(on identity: String) throws {
    let all = try gather(Data(identity.utf8))
    guard let other = all.firstIndex(where: { $0 != all[0] }) else { return }
    throw ProcessGroupError(
      .difference,
      "rank \(other) has other images or another detector than rank 0; start all ranks with the same options and data")
  }
}
