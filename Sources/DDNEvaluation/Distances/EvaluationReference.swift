import DDNFiles
import DDNVision
import Torch

/// What images are compared with: statistics of features, and the features themselves where the reference is images.
public struct EvaluationReference {
  public let statistics: FrechetDistance.Statistics
  /// Nil for statistics of a file.
  public let features: Features?
  /// As in messages.
  public let name: String

  /// Statistics of a file.
  ///
  /// - Parameters:
  ///   - file: of the same detector.
  ///   - detector: that computes the images' features.
  /// - Throws: `FileError` for statistics of another detector.
  public init(_ file: ReferenceStatistics, for detector: any FeatureDetector) throws(FileError) {
    try file.check(detector.identity, featureCount: detector.featureCount)
    (statistics, features, name) = (file.statistics, nil, file.path)
  }

  /// Images.
  ///
  /// - Parameter features: of the images.
  /// - Throws: `EvaluationError` for fewer than two images; `FileError`; `TorchError`.
  public init(_ features: Features) throws {
    statistics = try features.statistics()
    (self.features, name) = (features, features.name)
  }
}

/// Measures of how close images are to a reference.
public enum EvaluationMeasure: String, CaseIterable, Sendable {
  /// Needs no reference images.
  case frechet
  case kid
  case precision
}
