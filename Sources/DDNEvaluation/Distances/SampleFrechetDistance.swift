import DDN
import DDNPictures
import DDNVision
import Torch

/// The Frechet distance of a few images that a network generates to a data set, to follow a training.
public struct SampleFrechetDistance {
  private let detector: any FeatureDetector
  private let samples: Int
  private let reference: FrechetDistance.Statistics

  /// The most images of the data set.
  private static let mostReferences = 10_000
  private static let batch = 64

  /// Measures the data set.
  ///
  /// - Parameters:
  ///   - source: images of the data set; at most 10,000 from the first are read.
  ///   - detector: whose features are compared.
  ///   - samples: images to generate, at least two.
  ///   - shouldContinue: called before each batch; false stops.
  /// - Throws: `JobStopped`; `EvaluationError` for fewer than two images; what source and detector throw.
  public init(
    to source: any EncodingSource, by detector: any FeatureDetector, samples: Int,
    shouldContinue: () -> Bool = { true }
  ) throws {
    precondition(samples >= 2, "\(samples) images have no covariance")
    (self.detector, self.samples) = (detector, samples)
    reference = try Self.statistics(min(source.count, Self.mostReferences), detector) {
      guard shouldContinue() else { throw JobStopped() }
      return try source.images(in: $0).images
    }
  }

  /// The distance of the images of seeds from 0 on, whose codes are uniform; classes take turns.
  ///
  /// - Parameter network: in evaluation mode.
  /// - Throws: `EvaluationError` for features that are not finite; `TorchError`.
  public func callAsFunction(_ network: any DiscreteDistributionNetwork) throws -> Double {
    let seeds = (0..<samples).map { UInt64($0) }
    let job = DrawingJob(
      CodeList(seeds: seeds, in: network.codeSpace, classes: network.classes, classIndex: nil).entries, by: network)
    return try FrechetDistance(Self.statistics(samples, detector) { try job($0) }, reference).value
  }

  private static func statistics(
    _ count: Int, _ detector: any FeatureDetector, _ images: (Range<Int>) throws -> Tensor
  ) throws -> FrechetDistance.Statistics {
    var moments = FeatureMoments()
    for start in stride(from: 0, to: count, by: batch) {
      try withoutGradients {
        try moments.add(detector.features(of: images(start..<min(start + batch, count)).eightBit()))
      }
    }
    return try moments.statistics()
  }
}
