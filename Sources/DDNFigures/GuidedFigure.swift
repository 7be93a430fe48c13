import DDN
import DDNGuidance
import DDNPictures
import Images
import Torch

/// A figure of guided generation: a row per target or seed, a column per guide.
///
/// Source: paper, Figures 2, 7, 9 and 10.
public struct GuidedFigure {
  /// A column: what is known of each row's target, if that is a picture, and a guided sample.
  public struct Column {
    public let label: String
    /// As they are typed for `ddn guide`.
    public let guides: [String]
    public let showsKnown: Bool
    public let top: TopCount?

    public init(_ label: String, guides: [String], showsKnown: Bool = false, top: TopCount? = nil) {
      self.label = label
      self.guides = guides
      self.showsKnown = showsKnown
      self.top = top
    }
  }

  /// The tasks of the paper's Figure 2 that need no other network's weights.
  public static func tasks(imageShape: [Int]) -> [Column] {
    let factors = [4, 8].filter { $0 < imageShape[1] }
    let guides =
      ["l2"] + factors.map { "sr:\($0)" } + ["noise:0.53", "lowbit:4"] + (imageShape[0] == 3 ? ["gray"] : [])
      + ["mask:left", "mask:top", "mask:not-letter", "mask:letter", "blur:\(Double(imageShape[1]) / 32)", "edges"]
    return guides.map { Column($0, guides: [$0], showsKnown: $0 != "l2" && $0 != "edges") }
  }

  /// Two guides, from the first alone to the second alone.
  public static func mixtures(_ first: String, _ second: String) -> [Column] {
    func weighted(_ guide: String, _ weight: Double) -> String { "\(guide),weight=\(weight)" }
    return [0, 0.25, 0.5, 0.75, 1].map { share in
      let guides =
        share == 0
        ? [first] : share == 1 ? [second] : [weighted(first, 1 - share), weighted(second, share)]
      return Column("\(Int(share * 100)) %", guides: guides, showsKnown: share == 0, top: .original)
    }
  }

  private let network: any DiscreteDistributionNetwork
  private let columns: [Column]
  private let mixes: [MixedGuide]

  /// - Parameters:
  ///   - columns: at least one.
  ///   - network: without conditions, or with classes.
  /// - Throws: `GuideError` for guides, and `FileError` for files, that cannot be used.
  public init(_ columns: [Column], by network: any DiscreteDistributionNetwork) throws {
    self.network = network
    self.columns = columns
    mixes = try columns.map { column in
      try MixedGuide(
        column.guides, for: .init(imageShape: network.imageShape, device: network.device),
        levels: network.codeSpace.levels.count)
    }
  }

  /// Whether a guide compares with a target.
  public var needsTargets: Bool { mixes.contains(where: \.needsTargets) }

  /// - Parameters:
  ///   - targets: `[n, C, H, W]` in [-1, 1], a row each; nil without targets.
  ///   - classes: of each target, for a network with classes and columns whose guides ask for none; nil for classes by
  ///     row.
  ///   - rows: how many; the number of targets if there are any.
  ///   - seeds: the number of samples in each column.
  ///   - beams: paths kept from level to level.
  ///   - progress: called after each column.
  public func draw(
    targets: Tensor?, classes: [Int]?, rows: Int, seeds: Int = 1, beams: Int = 1,
    progress: (Int) throws -> Void = { _ in }
  ) throws -> Bitmap {
    var pictures: [[Bitmap]] = []
    var labels: [String] = []
    let size = network.imageShape
    if let targets {
      pictures.append(try targets.bitmaps())
      labels.append("target")
    }
    for (number, (column, mix)) in zip(columns, mixes).enumerated() {
      let sampler = GuidedSampler(network, guide: mix, top: column.top, beams: beams)
      for seed in 0..<seeds {
        let batch = GuideBatch(
          targets: targets, targetNumbers: Array(0..<rows), seeds: (0..<rows).map { UInt64(seed * rows + $0) })
        if column.showsKnown, seed == 0, let known = try mix.pictures(for: batch)[0] {
          pictures.append(
            try known.expanded([rows] + known.shape[1...]).resizedArea(height: size[1], width: size[2]).bitmaps())
          labels.append("known")
        }
        let samples = try withoutGradients {
          try sampler(
            batch,
            condition: {
              try condition(of: $0, rows: rows, classes: mix.classes(for: $0, of: network.classes) ?? classes)
            })
        }
        pictures.append(try samples.images.bitmaps())
        labels.append(seed == 0 ? column.label : "")
      }
      try progress(number + 1)
    }
    let cells = (0..<rows).flatMap { row in pictures.map { $0[row] } }
    return try Grid(
      columns: pictures.count, gap: 2, zoom: max(1, 64 / size[2]), columnLabels: labels, textSize: 9
    ).draw(cells)
  }

  private func condition(of batch: GuideBatch, rows: Int, classes: [Int]?) throws -> Condition {
    guard network.classes > 0 else { return network.condition(classes: nil, sources: batch.targets) }
    let labels = (0..<rows).map { classes?[$0] ?? $0 % network.classes }
    return network.condition(
      classes: try Tensor(labels, shape: [rows]).to(network.device), sources: batch.targets)
  }
}
