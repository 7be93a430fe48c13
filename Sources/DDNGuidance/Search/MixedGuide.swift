import DDN
import DDNFiles
import DDNPictures
import Foundation
import Images
import Torch

/// How the scores of several guides become one.
public enum GuideCombination: String, CaseIterable, Sendable {
  /// The weighted sum of ranks, 0 for the worst candidate to K - 1 for the best: scores of any unit can be combined.
  ///
  /// Source: paper, Figure 10.
  case ranks
  /// The weighted sum of scores, each with mean 0 and standard deviation 1 over the candidates.
  case standardized

  /// - Parameters:
  ///   - scores: of each guide, `[B, n]`.
  ///   - weights: of each guide.
  /// - Returns: `[B, n]`.
  func combined(_ scores: [Tensor], weights: [Double]) throws(TorchError) -> Tensor {
    precondition(!scores.isEmpty, "no guides to combine")
    if scores.count == 1 { return scores[0] }
    var sum: Tensor?
    for (scores, weight) in zip(scores, weights) {
      let term = try (self == .ranks ? scores.ranks().to(.float32) : scores.standardized()) * weight
      sum = try sum.map { (sum) throws(TorchError) in try sum + term } ?? term
    }
    return sum!
  }
}

/// Guides as they are asked for together: each with its weight, the levels at which it scores, and where it looks.
public struct MixedGuide {
  /// One of the guides.
  public struct Part {
    public let kind: GuideKind
    /// As it was typed.
    public let text: String
    public let guide: any PreparedGuide
    public let weight: Double
    /// From 0.
    public let levels: ClosedRange<Int>
    /// `[1, 1, H, W]`, what the guide sees; nil for all.
    let mask: Tensor?
    /// `[1, C, H, W]`, the guide's own target; nil for the batch's.
    let image: Tensor?

    /// A guide at all levels that sees whole images and the batch's targets.
    ///
    /// - Parameters:
    ///   - kind: of the guide.
    ///   - guide: prepared for the network.
    ///   - weight: among several guides, above 0.
    public init(_ kind: GuideKind, _ guide: any PreparedGuide, weight: Double = 1) {
      self.init(
        kind: kind, text: kind.name, guide: guide, weight: weight, levels: 0...Int.max - 1, mask: nil, image: nil)
    }

    init(
      kind: GuideKind, text: String, guide: any PreparedGuide, weight: Double, levels: ClosedRange<Int>, mask: Tensor?,
      image: Tensor?
    ) {
      (self.kind, self.text, self.guide, self.weight) = (kind, text, guide, weight)
      (self.levels, self.mask, self.image) = (levels, mask, image)
    }

    /// The batch as this guide sees it.
    func seen(_ batch: GuideBatch) throws -> GuideBatch {
      guard let image else { return batch }
      return GuideBatch(
        targets: try image.expanded([batch.count] + image.shape[1...]), targetNumbers: batch.targetNumbers,
        seeds: batch.seeds)
    }

    public var needsTargets: Bool { guide.needsTargets && image == nil }
  }

  /// Options that every guide has.
  public static let options: [(name: String, meaning: String)] = [
    ("weight", "among several guides (default: 1)"),
    ("mask", "where the guide looks: \(MaskPicture.meaning)"),
    ("from", "the first level at which it scores, from 1"),
    ("until", "the last level at which it scores"),
    ("image", "the guide's own target picture"),
  ]
  static var optionNames: [String] { options.map(\.name) }

  public let parts: [Part]
  public let combination: GuideCombination

  /// - Parameters:
  ///   - parts: prepared guides; none for random choices.
  ///   - combination: of several.
  public init(_ parts: [Part], combination: GuideCombination = .ranks) {
    self.parts = parts
    self.combination = combination
  }

  /// Reads guides as they are typed, and loads their files.
  ///
  /// - Parameters:
  ///   - texts: at least one, `NAME:VALUE,OPTION=VALUE`.
  ///   - combination: of several.
  ///   - setting: of the run.
  ///   - levels: L.
  /// - Throws: `GuideError` for arguments, and `FileError` for files, that cannot be used.
  public init(
    _ texts: [String], combination: GuideCombination = .ranks, for setting: GuideKind.Setting, levels: Int
  ) throws {
    self.combination = combination
    parts = try texts.map { text in
      var arguments = try GuideArguments(text)
      guard let kind = GuideKind.named(arguments.name) else {
        let names = GuideKind.all.map(\.name).joined(separator: ", ")
        throw GuideError(.usage, "--guide \(text): there is no guide '\(arguments.name)'; guides are \(names)")
      }
      let weight = try arguments.numberOption("weight", in: 0.000_001...1_000_000, default: 1)
      let first = try arguments.integerOption("from", in: 1...levels, default: 1)
      let last = try arguments.integerOption("until", in: 1...levels, default: levels)
      guard first <= last else { throw arguments.error("from=\(first) is after until=\(last)") }
      let mask = try arguments.option("mask").map { text in
        try MaskPicture.read(text, arguments, setting).reshaped([1, 1] + setting.imageShape[1...])
      }
      let image = try arguments.option("image").map { path in
        try PNG.read(URL(fileURLWithPath: path), fittedTo: setting.imageShape).tensor().to(setting.device)
      }
      return Part(
        kind: kind, text: text, guide: try kind.prepare(arguments, for: setting), weight: weight,
        levels: first - 1...last - 1, mask: mask, image: image)
    }
  }

  public var needsTargets: Bool { parts.contains(where: \.needsTargets) }

  /// From how many of the best candidates a run chooses when the user does not say.
  public var top: TopCount { parts.count == 1 ? parts[0].kind.top : .original }

  /// The guides of a batch.
  ///
  /// - Throws: `GuideError` when the batch lacks what a guide needs; `TorchError`.
  public func guides(for batch: GuideBatch) throws -> [any Guide] {
    try parts.map { part in
      let seen = try part.seen(batch)
      guard let mask = part.mask else { return try part.guide.guide(for: seen) }
      // Targets and candidates are mid-gray where the guide does not look.
      let masked = GuideBatch(
        targets: try seen.targets.map { try $0 * mask }, targetNumbers: seen.targetNumbers, seeds: seen.seeds)
      return MaskedGuide(try part.guide.guide(for: masked), mask: mask)
    }
  }

  /// The class that each image is guided to, by the first guide that knows classes.
  ///
  /// - Parameters:
  ///   - batch: the images.
  ///   - count: how many classes the guide must know, for those of a network; nil for any number.
  public func classes(for batch: GuideBatch, of count: Int? = nil) -> [Int]? {
    parts.lazy.filter { count == nil || $0.guide.classCount == count }.compactMap { $0.guide.classes(for: batch) }.first
  }

  /// What each guide knows of each target, to be drawn: `[B, C, h, w]` or `[1, C, h, w]`; nil if that is no picture.
  public func pictures(for batch: GuideBatch) throws -> [Tensor?] {
    try parts.map { part in try part.guide.picture(for: part.seen(batch)) ?? part.image }
  }
}

/// A guide that sees mid-gray outside a mask.
private struct MaskedGuide: Guide {
  private let guide: any Guide
  private let mask: Tensor  // [1, 1, H, W]

  init(_ guide: any Guide, mask: Tensor) {
    self.guide = guide
    self.mask = mask
  }

  func scores(of candidates: Candidates) throws -> Tensor {
    let shape = candidates.imageShape
    return try guide.scores(of: candidates.masked(by: mask.resizedArea(height: shape[1], width: shape[2])))
  }
}

extension Tensor {
  private static let deviationOperator = Operator("aten::std", "correction")

  /// `[B, n]` int64, each element's place in its sorted row; equal elements keep their order.
  func ranks() throws(TorchError) -> Tensor {
    try sortedIndices().sortedIndices()
  }

  /// `[B, n]` with mean 0 and standard deviation 1 in each row, and 0 where all are equal.
  fileprivate func standardized() throws(TorchError) -> Tensor {
    let deviation = try Tensor.deviationOperator.tensor(.tensor(self), .ints([1]), .int(0), .bool(true))
    return try (self - mean([1], keepingDimensions: true)) / (deviation + 1e-12)
  }
}
