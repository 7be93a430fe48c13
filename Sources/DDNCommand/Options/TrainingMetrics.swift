import ArgumentParser
import DDN
import DDNClassifiers
import DDNData
import DDNEvaluation
import DDNTraining
import Torch

/// What `ddn train` measures at every tick.
struct TrainingMetrics: ParsableArguments {
  @Option(
    help: .init(
      """
      Measure the Frechet distance of generated images to training images at every tick by this detector: a shipped \
      classifier (\(ResidualClassifier.shippedNames.joined(separator: ", "))), or a file as for ddn fid. A resumed run takes \
      it again. (default: none)
      """, valueName: "name|file"), completion: .file())
  var metrics: String?

  @Option(
    parsing: .unconditional,
    help:
      "Generated images that --metrics measures; distances of other numbers do not compare. (default: \(defaultCount))",
    transform: wholeNumber(in: 2...1_000_000))
  var metricsCount: Int?

  private static let defaultCount = 1000

  func validate() throws {
    guard metricsCount == nil || metrics != nil else { throw ValidationError("--metrics-count is for --metrics") }
  }

  /// - Throws: `FileError` for a detector that cannot be used.
  func check(_ device: Device) throws { _ = try metrics.map { try openDetector($0, device: device) } }

  /// The measure; nil for none.
  ///
  /// - Throws: `UsageError` for a network that needs images to generate; `FileError` for the detector; `JobStopped`.
  func measure(
    _ network: any DiscreteDistributionNetwork, data: TrainingImages, device: Device, shouldContinue: () -> Bool
  ) throws -> (() throws -> Double)? {
    guard let metrics else { return nil }
    guard network.conditions.allSatisfy({ !$0.needsImages }) else {
      throw UsageError("--metrics: this network is conditioned on images; leave it out")
    }
    let distance = try SampleFrechetDistance(
      to: data, by: openDetector(metrics, device: device), samples: metricsCount ?? Self.defaultCount,
      shouldContinue: shouldContinue)
    return { try distance(network) }
  }
}
