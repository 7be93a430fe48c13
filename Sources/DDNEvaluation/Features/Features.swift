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

  /// Computes the features that the file lacks.
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
    let identity = "\(detector.identity)\n\(source.identity)"
    var url: URL?
    if let cache {
      try Folder.create(cache)
      url = cache.appendingPathComponent("\(FileIdentity.checksum(of: [identity])).features")
    }
    file = try FeatureFile(url, identity: identity, featureCount: detector.featureCount)
    (labels, name) = (source.labels, source.name)
    let job = FeatureJob(source: source, detector: detector, start: file.count, batchSize: batch)
    try job.run(shouldContinue: shouldContinue) { _, features in
      try file.append(features)
      progress(file.count)
    }
    try source.checkUnchanged()
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
}
