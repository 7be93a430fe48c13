import DDN
import Foundation
import Images
import Torch

/// Measures rate and distortion of a model at every level, beside codes of the same bits and picture files.
public struct CompressionEvaluation {
  /// The size of a file of codes with their classes, if any, in bytes.
  public typealias FileBytes = (_ codes: [LatentCode], _ classes: [Int]?) throws -> Int

  /// What a method makes of the first test images.
  public struct Example: Sendable {
    /// "DDN".
    public let name: String
    /// "134 bits" or "Q 1, 310 bytes"; empty for the targets.
    public let rate: String
    public let pictures: [Bitmap]
  }

  /// What PCA and k-means are fitted to; nil leaves both out.
  public var training: (any EncodingSource)?
  /// The most training images, from the first; no more than a gibibyte of them is used.
  public var maxTrainingCount = 20_000
  /// The most test images that picture files are made of.
  public var pictureCount = 128
  /// Test images in the examples.
  public var exampleCount = 8
  /// The most steps of each k-means.
  public var maxSteps = 20
  /// Picture formats to compare with.
  public var codecs = PictureCodec.allCases
  /// Finds the model's codes, of all levels.
  public var search = CodeSearch()
  public var precision = Precision.float32
  public var batchSize = EncodingJob.defaultBatch
  /// Sizes of the model's files; nil leaves them out.
  public var fileBytes: FileBytes?
  private let network: any DiscreteDistributionNetwork
  private let test: any EncodingSource
  private let count: Int

  /// - Parameters:
  ///   - network: the model.
  ///   - test: images that the model was not trained on.
  ///   - count: how many, from the first; nil for all.
  ///   - training: images to fit PCA and k-means to; nil for neither.
  public init(
    of network: any DiscreteDistributionNetwork, test: any EncodingSource, count: Int? = nil,
    training: (any EncodingSource)? = nil
  ) {
    self.network = network
    self.test = test
    self.count = min(count ?? test.count, test.count)
    self.training = training
    precondition(self.count > 0, "there are no test images")
  }

  /// Bits of a code up to each level, with its class.
  private var bitsOfLevels: [Double] {
    let classBits = network.classes > 0 ? log2(Double(network.classes)) : 0
    return network.codeSpace.levels.reduce(into: []) { $0.append(($0.last ?? classBits) + $1.bits) }
  }

  /// Does all the work.
  ///
  /// - Parameters:
  ///   - shouldContinue: called between operators; false stops.
  ///   - progress: called with what is being done and the share that is done.
  /// - Returns: the report, and examples that begin with the targets.
  /// - Throws: `JobStopped`; what the sources throw; `ConditionError`; `ImageError`; `TorchError`.
  public func run(
    shouldContinue: () -> Bool = { true }, progress: (_ work: String, _ share: Double) -> Void = { _, _ in }
  ) throws -> (report: CompressionReport, examples: [Example]) {
    func advance(_ work: String, _ share: Double) throws {
      progress(work, share)
      guard shouldContinue() else { throw JobStopped() }
    }
    let bits = bitsOfLevels
    let baselines = try BaselineCodes(
      fittedTo: training, maxCount: maxTrainingCount, maxSteps: maxSteps, as: network.codeSpace, bits: bits.last!,
      advance: advance)
    let shown = min(pictureCount, count)
    var levels = LevelMeasurement(
      bits: bits, baselines: baselines, pictureCount: shown, exampleCount: min(exampleCount, shown))
    var (codes, classes): ([LatentCode], [Int]) = ([], [])
    try EncodingJob(test, count: count, by: network, search: search, precision: precision, batchSize: batchSize)
      .run(shouldContinue: shouldContinue) { range, batch in
        try levels.add(batch.targets, levels: batch.reconstruction.levels)
        codes += batch.reconstruction.codes
        classes += batch.classes ?? []
        try advance("test images", Double(range.upperBound) / Double(count))
      }
    let sizes = try fileSizes(codes, network.classes > 0 ? classes : nil, single: shown)
    var report = CompressionReport(
      imageShape: network.imageShape, count: count, trainingCount: baselines.trainingCount, pictureCount: shown,
      rows: levels.rows(fileBytes: sizes?.single), comparable: [], dataSetFileBytes: sizes?.together,
      gaussianBound: baselines.pca.flatMap { Self.bound($0.variances, bits: bits.last!) }, notes: baselines.notes)
    if network.conditions.contains(where: \.needsImages) {
      report.notes.append("the model is conditioned on an image, whose bits are not counted")
    }
    var examples = [Example(name: "target", rate: "", pictures: try levels.targets().bitmaps())]
    for method in [CompressionReport.Method.model, .pca, .kMeans] {
      guard let pictures = levels.pictures(of: method), let row = report.rows(of: method).last else { continue }
      examples.append(
        Example(name: method.name, rate: "\(Int(row.codeBits.rounded())) bits", pictures: pictures))
    }
    try addPictures(to: &report, &examples, levels, advance)
    let drawn = min(exampleCount, shown)
    return (report, examples.map { .init(name: $0.name, rate: $0.rate, pictures: Array($0.pictures.prefix(drawn))) })
  }

  /// Adds the picture formats.
  private func addPictures(
    to report: inout CompressionReport, _ examples: inout [Example], _ levels: LevelMeasurement,
    _ advance: (String, Double) throws -> Void
  ) throws {
    let psnr = levels.firstPSNRs.reduce(0, +) / Double(levels.firstPSNRs.count)
    for (number, codec) in codecs.enumerated() {
      if let reason = codec.unavailableReason {
        report.notes.append("no \(codec.name): \(reason)")
        continue
      }
      let share = Double(number) / Double(codecs.count)
      try advance(codec.name, share)
      var rates = try PictureRates(codec, targets: levels.targets())
      let (curve, nearest) = try rates.measure(near: psnr, examples: exampleCount) {
        try advance(codec.name, share)
      }
      report.rows += curve.map(\.row)
      report.comparable += curve[0].quality == nearest.quality ? [nearest.row] : [curve[0].row, nearest.row]
      examples.append(
        Example(
          name: codec.name, rate: "\(Int(curve[0].row.fileBytes!.rounded())) bytes", pictures: curve[0].examples))
    }
  }

  /// Bytes per image of the model's files: mean of one for each of the first images, and of one for all.
  private func fileSizes(
    _ codes: [LatentCode], _ classes: [Int]?, single: Int
  ) throws -> (single: Double, together: Double)? {
    guard let fileBytes else { return nil }
    var sum = 0
    for index in 0..<single { sum += try fileBytes([codes[index]], classes.map { [$0[index]] }) }
    return (Double(sum) / Double(single), Double(try fileBytes(codes, classes)) / Double(codes.count))
  }

  /// In dB, of values with a range of 2; nil for images that are all the same.
  private static func bound(_ variances: [Double], bits: Double) -> Double? {
    let error = ReverseWaterFilling(variances: variances, bits: bits).errors.reduce(0, +) / Double(variances.count)
    return error > 0 ? 10 * log10(4 / error) : nil
  }
}
