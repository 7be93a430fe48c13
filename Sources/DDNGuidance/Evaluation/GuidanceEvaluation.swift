import DDN
import DDNEvaluation
import DDNPictures
import Foundation
import Images
import Torch

/// How well guided samples restore images from a measurement, beside two bounds and the obvious answer.
public struct GuidanceEvaluation {
  /// One way to restore, measured over all images.
  public struct Row: Sendable, Codable {
    /// The guide as it is typed.
    public let guide: String
    /// "8 beams", or what stands beside them: "reconstruction", "random", "measurement".
    public let method: String
    public let images: Int
    /// Root of the mean squared error of A(x) - y, in gray levels; the mean over images.
    public let measurementError: Double
    /// Of written bytes, in dB; of the mean squared error over all images.
    public let psnr: Double
    /// Of written bytes; the mean over images.
    public let ssim: Double
    /// Mean squared difference of two samples of one target, in gray levels squared; nil without pairs.
    public let diversity: Double?
    /// Images that the network computed for each sample.
    public let runs: Int
    public let seconds: Double
  }

  /// The operators that restoration papers use, at a resolution.
  ///
  /// Source: the tasks of DDRM (Kawar et al., 2022) and DPS (Chung et al., 2023), blurs in proportion to the image.
  public static func standardGuides(imageShape: [Int]) -> [String] {
    let side = imageShape[1]
    let factors = [2, 4, 8, 16].filter { $0 < side }
    return factors.map { "sr:\($0)" } + ["mask:left", "mask:not-center", "pixels:0.1"]
      + (imageShape[0] == 3 ? ["gray"] : [])
      + ["blur:\(Double(side) / 32)", "motion:\(max(3, side / 7)),angle=30", "noise:0.05", "noise:0.5"]
  }

  private let network: any DiscreteDistributionNetwork
  private let setting: GuideKind.Setting

  /// - Parameter network: without conditions, or with classes that the targets have.
  public init(_ network: any DiscreteDistributionNetwork) {
    self.network = network
    setting = .init(imageShape: network.imageShape, device: network.device)
  }

  /// Measures one guide.
  ///
  /// - Parameters:
  ///   - text: the guide as it is typed; its measurement must be linear in the image.
  ///   - job: of this guide: makes the samples.
  ///   - method: of the row.
  ///   - shouldContinue: called before each batch; false stops.
  ///   - progress: called with the number of samples that are done.
  /// - Throws: `GuideError` for a guide that measures nothing; what the job throws.
  public func row(
    _ text: String, job: GuidedJob, method: String, shouldContinue: () -> Bool = { true },
    progress: (Int) -> Void = { _ in }
  ) throws -> Row {
    var totals = Totals()
    var working = Duration.zero
    // Whole targets a batch, so that each target's samples can be compared.
    let perTarget = job.seeds.count
    let targets = max(1, job.batchSize / perTarget)
    for first in stride(from: 0, to: job.count, by: targets * perTarget) {
      guard shouldContinue() else { throw JobStopped() }
      let began = ContinuousClock.now
      let result = try job(first..<min(first + targets * perTarget, job.count))
      working += ContinuousClock.now - began
      try totals.add(
        result.samples.images, targets: result.targets!, measurement: measurement(text, of: result),
        samplesPerTarget: perTarget)
      progress(min(first + targets * perTarget, job.count))
    }
    return totals.row(text, method: method, runs: job.sampler.width, seconds: working.seconds)
  }

  /// Measures other images of a guide's targets: a bound, or the obvious answer.
  ///
  /// - Parameters:
  ///   - text: the guide as it is typed.
  ///   - images: `[B, C, H, W]` in [-1, 1].
  ///   - targets: `[B, C, H, W]` in [-1, 1].
  ///   - method: of the row.
  public func row(_ text: String, images: Tensor, targets: Tensor, method: String) throws -> Row {
    var totals = Totals()
    let count = targets.shape[0]
    for first in stride(from: 0, to: count, by: 256) {
      let range = first..<min(first + 256, count)
      let part = try targets.slice(0, range)
      let batch = GuideBatch(targets: part, targetNumbers: Array(range), seeds: range.map { UInt64($0) })
      try totals.add(
        images.slice(0, range), targets: part, measurement: measurement(text, of: batch), samplesPerTarget: 1)
    }
    return totals.row(text, method: method, runs: 0, seconds: 0)
  }

  /// The obvious answer: what is known, enlarged bilinearly.
  ///
  /// - Parameters:
  ///   - text: the guide as it is typed.
  ///   - targets: `[B, C, H, W]` in [-1, 1].
  /// - Returns: `[B, C, H, W]`.
  public func measured(_ text: String, targets: Tensor) throws -> Tensor {
    let count = targets.shape[0]
    let batch = GuideBatch(
      targets: targets, targetNumbers: Array(0..<count), seeds: (0..<count).map { UInt64($0) })
    let picture = try measurement(text, of: batch).picture()
    return try picture.resizedBilinear(height: targets.shape[2], width: targets.shape[3]).clamped(-1...1)
  }

  private func measurement(_ text: String, of result: GuidedJob.Result) throws -> any Measurement {
    try measurement(
      text, of: GuideBatch(targets: result.targets, targetNumbers: result.targetNumbers, seeds: result.seeds))
  }

  private func measurement(_ text: String, of batch: GuideBatch) throws -> any Measurement {
    let mix = try MixedGuide([text], for: setting, levels: network.codeSpace.levels.count)
    guard let prepared = mix.parts[0].guide as? PreparedMeasurement else {
      throw GuideError(.usage, "--guide \(text): is not linear in the image, so it cannot be evaluated; choose others")
    }
    return try prepared.measurement(of: batch)
  }

  /// Sums over images.
  private struct Totals {
    private var images = 0
    private var errors = 0.0
    private var squared = 0.0
    private var similarity = 0.0
    private var difference = 0.0
    private var pairs = 0

    mutating func add(
      _ images: Tensor, targets: Tensor, measurement: any Measurement, samplesPerTarget: Int
    ) throws {
      errors += try measurement.grayLevelErrors(of: images).sum().item()
      // As a reader of the PNG files sees them.
      let written = try Tensor.concatenate(images.bitmaps().map { try $0.tensor() })
      for quality in try ImageQuality.compare(written, to: targets.to(.cpu)) {
        squared += quality.meanSquaredError
        similarity += quality.ssim
      }
      self.images += images.shape[0]
      guard samplesPerTarget > 1 else { return }
      let shape = written.shape
      let groups = try written.reshaped([shape[0] / samplesPerTarget, samplesPerTarget, -1])
      // The mean over pairs is twice the variance with n - 1.
      let centered = try groups - groups.mean([1], keepingDimensions: true)
      difference +=
        try centered.squared().sum().item() * 2 / Double(samplesPerTarget - 1)
        / Double(shape[1] * shape[2] * shape[3]) * 127.5 * 127.5
      pairs += groups.shape[0]
    }

    func row(_ guide: String, method: String, runs: Int, seconds: Double) -> Row {
      let count = Double(images)
      return Row(
        guide: guide, method: method, images: images, measurementError: errors / count,
        psnr: 10 * log10(4 / (squared / count)), ssim: similarity / count,
        diversity: pairs > 0 ? difference / Double(pairs) : nil, runs: runs, seconds: seconds)
    }
  }
}

extension Duration {
  fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
