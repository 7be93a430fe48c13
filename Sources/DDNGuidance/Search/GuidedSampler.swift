import DDN
import Torch

/// Runs a network from level to level, choosing by guides: zero-shot conditional generation.
///
/// Each level keeps the best candidates of all paths so far. With one path and a top count of 1 that is the greedy run; a
/// higher top count makes samples diverse, more paths (a beam search) make them fit better.
///
/// Source: paper, section 3.3 and section 4; the beam search is this project's.
public struct GuidedSampler {
  public let network: any DiscreteDistributionNetwork
  public let guide: MixedGuide
  /// How many of the best candidates a path is chosen among.
  public let top: TopCount
  /// Paths that are kept from level to level, at least 1.
  public let beams: Int
  /// Whole samples that are drawn for each image, of which the best is kept; at least 1.
  public let attempts: Int
  /// The first choices of all samples; nil for none.
  public let prefix: LatentCode?

  /// Guided images.
  public struct Samples {
    /// `[B, C, H, W]` in [-1, 1].
    public let images: Tensor
    public let codes: [LatentCode]
    /// Of each guide, of each image: the score of the choice at the last level at which it scored. Higher is better.
    public let scores: [[Double]]
    /// Each level's images on the way to `images`, `[B, C, h, w]`; empty unless they were asked for.
    public let levels: [Tensor]
  }

  public init(
    _ network: any DiscreteDistributionNetwork, guide: MixedGuide, top: TopCount? = nil, beams: Int = 1,
    attempts: Int = 1, startingWith prefix: LatentCode? = nil
  ) {
    precondition(beams >= 1 && attempts >= 1, "\(beams) beams and \(attempts) attempts are not at least 1")
    self.network = network
    self.guide = guide
    self.top = top ?? guide.top
    self.beams = beams
    self.attempts = attempts
    self.prefix = prefix
  }

  /// Images that are in memory at once for each image of a batch.
  public var width: Int { beams * attempts }

  /// Draws the images of a batch.
  ///
  /// - Parameters:
  ///   - batch: targets and seeds; a seed gives the same image in any batch.
  ///   - condition: what the network is conditioned on, for `batch.repeated(attempts)`.
  ///   - keepsLevels: whether to return every level's images.
  ///   - observe: called with every level's output, of all paths and attempts; throwing aborts.
  /// - Throws: `GuideError` when a guide lacks what it needs, or scores with NaN; `ConditionError`; what `observe`
  ///   throws; `TorchError`.
  public func callAsFunction(
    _ batch: GuideBatch, condition: (GuideBatch) throws -> Condition = { _ in .none }, keepsLevels: Bool = false,
    observe: (LevelOutput) throws -> Void = { _ in }
  ) throws -> Samples {
    let wide = try batch.repeated(attempts)
    let seeds = wide.seeds.enumerated().map { place, seed in
      seed ^ (UInt64(place % attempts) &* 0x9E37_79B1 & 0xFFFF_FFFF)
    }
    var paths = try search(
      wide, seeds: seeds, condition: condition(wide), keepsLevels: keepsLevels, observe: observe)
    if attempts > 1 {
      guard !paths.scores.isEmpty else { throw GuideError(.usage, "without guides no attempt is better than another") }
      let joint = try paths.scores.map { (score) throws(TorchError) in try score.reshaped([batch.count, attempts]) }
      let best = try guide.combination.combined(joint, weights: guide.parts.map(\.weight)).negated().argmin(1)  // [B]
      let rows = try (Tensor.range(0..<batch.count, device: network.device).scaled(by: attempts)) + best
      try paths.select(rows: rows)
    }
    let run = paths.run
    return Samples(
      images: try run.paths.perSample(run.images!), codes: try run.latentCodes(),
      scores: try paths.scores.map { try $0.array(Double.self) }, levels: paths.levels)
  }

  /// The paths of a batch, B of them.
  private struct Paths {
    var run: NetworkRun
    /// Each guide's last scores, `[B]`.
    var scores: [Tensor]
    /// Every level's images, `[B, C, h, w]`, if they are kept.
    var levels: [Tensor] = []

    mutating func select(rows: Tensor) throws(TorchError) {
      try run.select(rows: rows)
      scores = try scores.map { (score) throws(TorchError) in try score.gathered(rows) }
      levels = try levels.map { (level) throws(TorchError) in try level.gathered(rows) }
    }
  }

  private func search(
    _ batch: GuideBatch, seeds: [UInt64], condition: Condition, keepsLevels: Bool,
    observe: (LevelOutput) throws -> Void
  ) throws -> Paths {
    let count = network.codeSpace.levels.count
    // A choice uses number `path * L + level` of its seed, so that one path has the numbers of `TopChooser`.
    let draws = try SeededDraws(seeds: seeds, levels: count * beams, device: network.device)
    var paths = Paths(
      run: try network.begin(samples: batch.count, condition: condition),
      scores: try guide.parts.map { _ in try Tensor.zeros([batch.count], device: network.device) })
    var guides = try guide.guides(for: batch)
    var width = 1
    var finite: [(guide: Int, level: Int, finiteShare: Tensor)] = []
    for choices in try prefix.map({ try Array(repeating: $0, count: batch.count).tensors(on: network.device) }) ?? [] {
      let output = try paths.run.advance(choosing: choices)
      if keepsLevels { paths.levels.append(try output.imagesPerSample()) }
      try observe(output)
    }
    for level in paths.run.level..<count {
      let candidates = try paths.run.candidates()
      let nodes = candidates.nodes
      let active = guide.parts.indices.filter { guide.parts[$0].levels.contains(level) }
      let scores = try active.map { try guides[$0].scores(of: candidates).reshaped([batch.count, width * nodes]) }
      for (part, score) in zip(active, scores) {
        finite.append((part, level, try score.isFinite().to(.float32).mean()))
      }
      let kept = active.isEmpty ? width : level + 1 == count ? 1 : min(beams, width * nodes)
      let chosen: Tensor  // [B, kept] in 0..<width * K
      if active.isEmpty {
        chosen = try .stack(
          (0..<width).map { path in
            try draws.integers(below: nodes, level: path * count + level).adding(path * nodes)
          }, dimension: 1)
      } else {
        let combined = try guide.combination.combined(scores, weights: active.map { guide.parts[$0].weight })
        chosen = try choose(kept, of: combined, nodes: nodes) { path, bound throws(TorchError) in
          try draws.integers(below: bound, level: path * count + level)
        }
      }
      let parents = try chosen.floorDivided(by: nodes)  // [B, kept], paths
      if width > 1 || kept > 1 {
        let first = try Tensor.range(0..<batch.count, device: network.device).scaled(by: width).reshaped([-1, 1])
        try paths.select(rows: (parents + first).reshaped([batch.count * kept]))
      }
      let codes = try chosen.remainder(by: nodes).reshaped([batch.count * kept])
      let output = try paths.run.advance(choosing: codes)
      for (part, score) in zip(active, scores) { paths.scores[part] = try score.picked(chosen).reshaped([-1]) }
      if keepsLevels { paths.levels.append(try output.paths.perSample(output.images)) }
      try observe(output)
      if kept != width, level + 1 < count { guides = try guide.guides(for: batch.repeated(kept)) }
      width = kept
    }
    try checkFinite(finite)
    if width > 1 {  // No guide scored at the last level: the paths are equally good.
      try paths.select(rows: .range(0..<batch.count, device: network.device).scaled(by: width))
    }
    return paths
  }

  /// Chooses `kept` of the best candidates: one at random of each group of the top count, the best group first.
  ///
  /// - Parameters:
  ///   - scores: `[B, n]`.
  ///   - nodes: K.
  ///   - draw: `[B]` int64 below a bound, for each of the kept paths.
  /// - Returns: `[B, kept]` indices within the rows of `scores`.
  private func choose(
    _ kept: Int, of scores: Tensor, nodes: Int, draw: (_ path: Int, _ bound: Int) throws(TorchError) -> Tensor
  ) throws(TorchError) -> Tensor {
    let group = min(top.count(of: nodes), scores.shape[1] / kept)
    if kept == 1, group == 1 { return try scores.negated().argmin(1).reshaped([-1, 1]) }
    let ranked = try scores.sortedIndices(descending: true)
    var places: [Tensor] = []
    for path in 0..<kept { places.append(try draw(path, group).adding(path * group)) }
    return try ranked.picked(.stack(places, dimension: 1))
  }

  private func checkFinite(_ checks: [(guide: Int, level: Int, finiteShare: Tensor)]) throws {
    guard !checks.isEmpty else { return }
    let shares = try Tensor.stack(checks.map(\.finiteShare)).array(Double.self)  // in one copy from the device
    guard let place = shares.firstIndex(where: { $0 < 1 }) else { return }
    let part = guide.parts[checks[place].guide]
    throw GuideError(
      .failed,
      "--guide \(part.text): a score at level \(checks[place].level + 1) is NaN or infinite; check the guide's files and "
        + "the model")
  }
}

extension Tensor {
  fileprivate func negated() throws(TorchError) -> Tensor { try self * -1 }
}
