import DDN
import DDNEvaluation
import DDNFiles
import DDNVision
import Foundation
import Torch

/// What is measured of a trained network.
public struct AblationMeasurement: Codable, Sendable, Equatable {
  /// How well a network approximates images.
  public struct Reconstructions: Codable, Sendable, Equatable {
    public let images: Int
    /// `[L]`, each level's mean squared error, in units of [-1, 1] squared.
    public let errorOfLevels: [Double]
    /// Mean, in dB; nil when an image equals its target.
    public let psnr: Double?
    public let ssim: Double
    /// Frechet distance of the approximations to the images (rFID with Inception v3); nil without a detector.
    public let frechetDistance: Double?
  }

  public let training: Reconstructions
  /// Nil without test images.
  public let test: Reconstructions?
  /// Random codes drawn, seeds from 0 on.
  public let samples: Int
  /// Frechet distance of the random codes' images to training images (FID with Inception v3); nil without a detector.
  public let sampleDistance: Double?
}

/// Measures trained networks, all on the same images.
public struct AblationMeter {
  /// What is measured at the moment.
  public enum Stage: String, Sendable {
    case training
    case test
    case samples
  }

  public let images: AblationImages
  public let detector: (any FeatureDetector)?
  private let precision: Precision
  private let trainingReference: FrechetDistance.Statistics?
  private let testReference: FrechetDistance.Statistics?

  private static let featureBatch = 64

  /// Measures the images themselves, or reads what an earlier call wrote.
  ///
  /// - Parameters:
  ///   - images: to measure networks on.
  ///   - detector: of Frechet distances; nil for none.
  ///   - precision: of convolutions.
  ///   - folder: where statistics of the images are kept, for `ddn fid calc`, too; it must have been written with the
  ///     same images.
  ///   - shouldContinue: called often; false stops.
  ///   - progress: called with the number of images so far and their total.
  /// - Throws: `JobStopped`; `EvaluationError` for features that are not finite; `FileError`; `TorchError`.
  public init(
    images: AblationImages, detector: (any FeatureDetector)?, precision: Precision = .float32, folder: URL,
    shouldContinue: () -> Bool = { true }, progress: (Int, Int) -> Void = { _, _ in }
  ) throws {
    self.images = images
    self.detector = detector
    self.precision = precision
    guard let detector else {
      (trainingReference, testReference) = (nil, nil)
      return
    }
    let total = images.training.count + (images.test?.count ?? 0)
    trainingReference = try Self.reference(
      images.training, detector, folder.appendingPathComponent("training-statistics.npz"), shouldContinue
    ) { progress($0, total) }
    testReference = try images.test.map { test in
      try Self.reference(test, detector, folder.appendingPathComponent("test-statistics.npz"), shouldContinue) {
        progress(images.training.count + $0, total)
      }
    }
  }

  private static func reference(
    _ part: AblationImages.Part, _ detector: any FeatureDetector, _ file: URL, _ shouldContinue: () -> Bool,
    _ progress: (Int) -> Void
  ) throws -> FrechetDistance.Statistics {
    if FileManager.default.fileExists(atPath: file.path) {
      let saved = try ReferenceStatistics(contentsOf: file)
      try saved.check(detector.identity, featureCount: detector.featureCount)
      return saved.statistics
    }
    var moments = FeatureMoments()
    for start in stride(from: 0, to: part.count, by: featureBatch) {
      guard shouldContinue() else { throw JobStopped() }
      let range = start..<min(start + featureBatch, part.count)
      try withoutGradients { try moments.add(detector.features(of: part.images.images(in: range).images.eightBit())) }
      progress(range.upperBound)
    }
    let statistics = try moments.statistics()
    try ReferenceStatistics(statistics, detector: detector.identity, path: file.path).write(to: file)
    return statistics
  }

  /// Measures a network.
  ///
  /// - Parameters:
  ///   - network: in evaluation mode, not conditioned on images.
  ///   - shouldContinue: called often; false stops. It must not use tensors.
  ///   - progress: called with what is measured, and the finished share of all.
  /// - Throws: `JobStopped`; `EvaluationError` for features that are not finite; `TorchError`.
  public func callAsFunction(
    _ network: any DiscreteDistributionNetwork, shouldContinue: () -> Bool = { true },
    progress: (Stage, Double) -> Void = { _, _ in }
  ) throws -> AblationMeasurement {
    let total = Double(images.training.count + (images.test?.count ?? 0) + images.samples)
    var done = 0
    func report(_ stage: Stage, _ count: Int) {
      done += count
      progress(stage, Double(done) / total)
    }
    let training = try reconstructions(images.training, trainingReference, network, shouldContinue) {
      report(.training, $0)
    }
    let test = try images.test.map { part in
      try reconstructions(part, testReference, network, shouldContinue) { report(.test, $0) }
    }
    var distance: Double?
    if let detector, let trainingReference {
      let codes = CodeList(
        seeds: (0..<images.samples).map { UInt64($0) }, in: network.codeSpace, classes: network.classes)
      var moments = FeatureMoments()
      try DrawingJob(codes.entries, by: network, precision: precision).run(shouldContinue: shouldContinue) {
        try Self.add($1, detector, to: &moments)
        report(.samples, $0.count)
      }
      distance = try FrechetDistance(moments.statistics(), trainingReference).value
    }
    return AblationMeasurement(training: training, test: test, samples: images.samples, sampleDistance: distance)
  }

  private func reconstructions(
    _ part: AblationImages.Part, _ reference: FrechetDistance.Statistics?,
    _ network: any DiscreteDistributionNetwork, _ shouldContinue: () -> Bool, _ progress: (Int) -> Void
  ) throws -> AblationMeasurement.Reconstructions {
    var report = ReconstructionReport(codeSpace: network.codeSpace, imageShape: network.imageShape)
    var moments = FeatureMoments()
    try EncodingJob(part.images, by: network, precision: precision).run(shouldContinue: shouldContinue) {
      range, batch in
      try report.add(
        batch.reconstruction, targets: batch.targets, names: range.map(String.init), classes: batch.classes)
      if let detector { try Self.add(batch.reconstruction.levels.last!, detector, to: &moments) }
      progress(range.count)
    }
    return .init(
      images: report.count, errorOfLevels: report.errorsOfLevels,
      psnr: report.meanPSNR.isFinite ? report.meanPSNR : nil, ssim: report.meanSSIM,
      frechetDistance: try reference.map { try FrechetDistance(moments.statistics(), $0).value })
  }

  private static func add(
    _ images: Tensor, _ detector: any FeatureDetector, to moments: inout FeatureMoments
  ) throws {
    for start in stride(from: 0, to: images.shape[0], by: featureBatch) {
      let part = try images.slice(0, start..<min(start + featureBatch, images.shape[0]))
      try withoutGradients { try moments.add(detector.features(of: part.eightBit())) }
    }
  }
}
