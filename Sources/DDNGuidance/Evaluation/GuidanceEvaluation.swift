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
    /// Of written bytes, in dB; of the mean squared error over all images. Nil without an error.
    public let psnr: Double?
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

  /// As it is typed.
  public let text: String
  private let guide: PreparedMeasurement

  /// - Parameter guide: one whose measurement is linear in the image.
  /// - Throws: `GuideError` for any other.
  public init(_ guide: MixedGuide) throws(GuideError) {
    guard guide.parts.count == 1, let prepared = guide.parts[0].guide as? PreparedMeasurement else {
      let names = guide.parts.map(\.text).joined(separator: " and ")
      throw GuideError(.usage, "--guide \(names): is not linear in the image, so it cannot be evaluated; choose others")
    }
    text = guide.parts[0].text
    self.guide = prepared
  }

  /// Measures guided samples.
  ///
  /// - Parameters:
  ///   - job: of this guide: makes the samples.
  ///   - method: of the row.
  ///   - group: processes that take turns at the batches of one process, all with the same job; nil for one.
  ///   - shouldContinue: called before each batch and each large operator; false stops. It must not use tensors.
  ///   - progress: called with the number of samples that are done.
  /// - Returns: the same on all ranks, for any number of them, but for the seconds: those of the slowest.
  /// - Throws: `JobStopped`; what the job throws; `ProcessGroupError`.
  public func row(
    of job: GuidedJob, method: String, over group: ProcessGroup? = nil, shouldContinue: () -> Bool = { true },
    progress: (Int) -> Void = { _ in }
  ) throws -> Row {
    var part = Part()
    // Whole targets a batch, so that each target's samples can be compared.
    let perTarget = job.seeds.count
    let targets = max(1, job.batchSize / perTarget)
    let batches = stride(from: 0, to: job.count, by: targets * perTarget)
    for (number, first) in batches.enumerated() where number % (group?.ranks ?? 1) == group?.rank ?? 0 {
      guard shouldContinue() else { throw JobStopped() }
      let began = ContinuousClock.now
      let result = try job(first..<min(first + targets * perTarget, job.count), while: shouldContinue)
      part.seconds += (ContinuousClock.now - began) / .seconds(1)
      var totals = Totals()
      try totals.add(
        result.samples.images, targets: result.batch.targets!, measurement: guide.measurement(of: result.batch),
        samplesPerTarget: perTarget)
      part.totals[number] = totals
      progress(min(first + targets * perTarget, job.count))
    }
    let parts = try group.map { group in
      try group.gather(PropertyListEncoder().encode(part)).map { try PropertyListDecoder().decode(Part.self, from: $0) }
    }
    // In the order of the batches, so that sums do not depend on the number of processes.
    let all = (parts ?? [part]).flatMap(\.totals).sorted { $0.key < $1.key }
    return all.reduce(into: Totals()) { $0.add($1.value) }
      .row(text, method: method, runs: job.sampler.width, seconds: (parts ?? [part]).map(\.seconds).max()!)
  }

  /// The batches of one process.
  private struct Part: Codable {
    /// By the batch's number.
    var totals: [Int: Totals] = [:]
    var seconds = 0.0
  }

  /// Measures other images of a guide's targets: a bound, or the obvious answer.
  ///
  /// - Parameters:
  ///   - images: `[B, C, H, W]` in [-1, 1].
  ///   - targets: `[B, C, H, W]` in [-1, 1].
  ///   - method: of the row.
  public func row(of images: Tensor, targets: Tensor, method: String) throws -> Row {
    var totals = Totals()
    let count = targets.shape[0]
    for first in stride(from: 0, to: count, by: 256) {
      let range = first..<min(first + 256, count)
      let part = try targets.slice(0, range)
      let batch = GuideBatch(targets: part, targetNumbers: Array(range), seeds: range.map { UInt64($0) })
      try totals.add(
        images.slice(0, range), targets: part, measurement: guide.measurement(of: batch), samplesPerTarget: 1)
    }
    return totals.row(text, method: method, runs: 0, seconds: 0)
  }

  /// The obvious answer: what is known, enlarged bilinearly.
  ///
  /// - Parameter targets: `[B, C, H, W]` in [-1, 1].
  /// - Returns: `[B, C, H, W]`.
  public func measured(_ targets: Tensor) throws -> Tensor {
    let count = targets.shape[0]
    let batch = GuideBatch(
      targets: targets, targetNumbers: Array(0..<count), seeds: (0..<count).map { UInt64($0) })
    let picture = try guide.measurement(of: batch).picture()
    return try picture.resizedBilinear(height: targets.shape[2], width: targets.shape[3]).clamped(-1...1)
  }

  /// Sums over images.
  private struct Totals: Codable {
    private var images = 0
    private var errors = 0.0
    private var squared = 0.0
    private var similarity = 0.0
    private var diversity = SampleDiversity()

    mutating func add(
      _ images: Tensor, targets: Tensor, measurement: any Measurement, samplesPerTarget: Int
    ) throws {
      errors += try measurement.grayLevelErrors(of: images).sum().item()
      // As a reader of the PNG files sees them.
      let bitmaps = try images.bitmaps()
      let written = try Tensor.concatenate(bitmaps.map { try $0.tensor() })
      for quality in try ImageQuality.compare(written, to: targets.to(.cpu)) {
        squared += quality.meanSquaredError
        similarity += quality.ssim
      }
      self.images += images.shape[0]
      for (number, bitmap) in bitmaps.enumerated() {
        diversity.add(bitmap)
        if (number + 1) % samplesPerTarget == 0 { diversity.finishTarget() }
      }
    }

    mutating func add(_ other: Totals) {
      images += other.images
      errors += other.errors
      squared += other.squared
      similarity += other.similarity
      diversity.add(other.diversity)
    }

    func row(_ guide: String, method: String, runs: Int, seconds: Double) -> Row {
      let count = Double(images)
      return Row(
        guide: guide, method: method, images: images, measurementError: errors / count,
        psnr: squared > 0 ? 10 * log10(4 / (squared / count)) : nil, ssim: similarity / count,
        diversity: diversity.mean, runs: runs, seconds: seconds)
    }
  }
}
