import Foundation
import Torch

/// How codes of images are searched.
///
/// One path that takes the nearest image at each level is the search of training. More paths, a beam search, find codes
/// with less error for the same bits; a prior's price lets a code trade error for bits; a weight says which pixels count.
///
/// Source: paper, section 3.1, for one path; the rest is this project's.
public struct CodeSearch {
  /// Paths that are kept from level to level, at least 1.
  public var beams = 1
  /// Levels of a code, from the first, at least 1; nil for all.
  public var levels: Int?
  /// `[1, 1, H, W]`, at least 0: how much each pixel counts, on the network's device; nil for all the same.
  public var weight: Tensor?
  /// What a bit costs, and which choices take how many.
  public var price: Price?

  /// A trade of error for bits: the least `error + lambda * bits` is wanted.
  public struct Price {
    public let prior: any CodePrior
    /// In units of [-1, 1] squared per bit.
    public let lambda: Double

    public init(prior: any CodePrior, lambda: Double) {
      self.prior = prior
      self.lambda = lambda
    }
  }

  public init() {}

  /// Finds the codes of a batch.
  ///
  /// - Parameters:
  ///   - target: `[B, C, H, W]` in [-1, 1], on the network's device.
  ///   - network: its codes and images.
  ///   - classes: `[B]` int64; nil for no class.
  ///   - sources: `[B, C, H, W]` in [-1, 1], images to compute conditions from; nil for the target.
  /// - Throws: `ConditionError`; what the prior throws; `TorchError`.
  public func callAsFunction(
    _ target: Tensor, by network: any DiscreteDistributionNetwork, classes: Tensor? = nil, sources: Tensor? = nil
  ) throws -> Reconstruction {
    let condition = network.condition(classes: classes, sources: sources ?? target)
    return try withoutGradients {
      let run = try network.begin(samples: target.shape[0], condition: condition)
      return try Reconstruction(
        joining: parts(of: run).map { part in
          let classes = price == nil ? nil : try classes?.slice(0, part).array(Int.self)
          return try paths(to: target.slice(0, part), from: run.part(part), classes: classes).reconstruction()
        })
    }
  }

  /// The choices of the best paths, on the network's device.
  ///
  /// - Parameters:
  ///   - target: `[B, C, H, W]` in [-1, 1].
  ///   - run: before its first level; it can be run afterwards.
  /// - Precondition: no price.
  /// - Returns: for each level, `[B]` int64.
  /// - Throws: `TorchError`.
  public func choices(for target: Tensor, from run: NetworkRun) throws -> [Tensor] {
    precondition(price == nil, "a price needs classes on the host")
    return try withoutGradients {
      let parts = try parts(of: run).map { part in
        try paths(to: target.slice(0, part), from: run.part(part), classes: nil).choices()
      }
      if parts.count == 1 { return parts[0] }
      return try parts[0].indices.map { level in try .concatenate(parts.map { $0[level] }) }
    }
  }

  /// Paths of a processor's search at once: few enough for a level's tensors to stay in its caches.
  private static let cachedPaths = 256

  /// The images of each part of a search.
  private func parts(of run: NetworkRun) -> [Range<Int>] {
    let images = run.samples
    let size = run.network.device == .cpu ? max(1, Self.cachedPaths / beams) : images
    return stride(from: 0, to: images, by: size).map { $0..<min($0 + size, images) }
  }

  private func paths(to target: Tensor, from run: NetworkRun, classes: [Int]?) throws -> Paths {
    var paths = try Paths(to: target, from: run, weight: weight, price: price, classes: classes)
    let isGreedy = beams == 1 && price == nil && weight == nil
    for level in 0..<min(levels ?? .max, run.network.codeSpace.levels.count) {
      try isGreedy ? paths.takeNearest() : paths.keepBest(beams, level: level)
    }
    return paths
  }
}

extension NetworkRun {
  /// The run of some of its images.
  fileprivate func part(_ range: Range<Int>) throws -> NetworkRun {
    var part = self
    if range != 0..<samples { try part.select(rows: .range(range, device: network.device)) }
    return part
  }
}

/// The paths of a search, those of one image side by side.
private struct Paths {
  private var run: NetworkRun
  private let images: Int
  private var width = 1
  private let target: Target
  /// The target of every path.
  private var goal: Target
  private let weight: Target?
  private let lambda: Double
  private var prediction: (any CodePrediction)?
  /// `[B * width]`, what the paths' choices cost so far.
  private var bits: [Double]
  /// Of every level: the chosen images, and the path that each path continues (nil for itself).
  private var history: [(images: ChosenImages, parents: Tensor?)] = []

  init(to target: Tensor, from run: NetworkRun, weight: Tensor?, price: CodeSearch.Price?, classes: [Int]?) throws {
    images = target.shape[0]
    self.target = Target(target)
    goal = self.target
    self.run = run
    self.weight = weight.map { Target($0) }
    lambda = price?.lambda ?? 0
    prediction = try price?.prior.begin(count: images, classes: classes)
    bits = Array(repeating: 0, count: images)
  }

  mutating func takeNearest() throws {
    let output = try run.advance(by: NearestChooser(goal))
    history.append((output.chosenImages, nil))
  }

  /// Goes on with the best of all paths' choices.
  mutating func keepBest(_ beams: Int, level: Int) throws {
    let nodes = try run.candidates().nodes
    let kept = min(beams, width * nodes)
    let (costs, choiceBits) = try self.costs()
    let joint = try costs.reshaped([images, width * nodes])
    let best =
      kept == 1
      ? try joint.argmin(1).reshaped([images, 1]) : try joint.leastIndices(kept)  // [B, kept]
    let first = try Tensor.range(0..<images, device: run.network.device).scaled(by: width).reshaped([-1, 1])
    let parents = try (best.floorDivided(by: nodes) + first).reshaped([images * kept])
    let codes = try best.remainder(by: nodes).reshaped([images * kept])
    let isContinued = width == 1 && kept == 1
    if !isContinued { try run.select(rows: parents) }
    if kept != width { goal = Target(try goal.images.gathered(image(ofEach: kept, was: width))) }
    if prediction != nil {
      let (rows, choices) = (try parents.array(Int.self), try codes.array(Int.self))
      bits = zip(rows, choices).map { bits[$0] + choiceBits[$0 * nodes + $1] }
      if !isContinued { try prediction!.select(rows) }
      try prediction!.advance(choices)
    }
    width = kept
    let output = try run.advance(choosing: codes)
    history.append((output.chosenImages, isContinued ? nil : parents))
  }

  /// `[B * width, K]` costs of all paths' choices, and the bits of each, row by row; empty without a prior.
  private mutating func costs() throws -> (Tensor, bits: [Double]) {
    let candidates = try run.candidates()
    var costs = try distances(of: candidates)
    guard prediction != nil else { return (costs, []) }
    let nodes = candidates.nodes
    let frequencies = try prediction!.frequencies()
    var choiceBits = Array(repeating: 0.0, count: frequencies.count)
    for path in 0..<images * width {
      let row = path * nodes..<(path + 1) * nodes
      let total = log2(Double(frequencies[row].reduce(UInt64(0)) { $0 + UInt64($1) }))
      for place in row { choiceBits[place] = total - log2(Double(frequencies[place])) }
    }
    let prices = choiceBits.indices.map { Float(lambda * (bits[$0 / nodes] + choiceBits[$0])) }
    costs = try costs + Tensor(prices, shape: [images * width, nodes]).to(costs.device)
    return (costs, choiceBits)
  }

  private func distances(of candidates: Candidates) throws -> Tensor {
    guard let weight else { return try candidates.distances(to: goal) }
    let (height, width) = (candidates.imageShape[1], candidates.imageShape[2])
    // A weighted squared error is that of images multiplied by the root of the weight.
    let mask = try weight.sized(height: height, width: width).squareRoot()
    let target = Target(try goal.sized(height: height, width: width) * mask)
    return try candidates.masked(by: mask).distances(to: target)
  }

  /// `[B * kept]`, a path of each path's image.
  private func image(ofEach kept: Int, was width: Int) throws(TorchError) -> Tensor {
    try Tensor.range(0..<images * kept, device: run.network.device).floorDivided(by: kept).scaled(by: width)
  }

  /// `[B]`, the first path of each image, which is its best.
  private func bestPaths() throws(TorchError) -> Tensor {
    try Tensor.range(0..<images, device: run.network.device).scaled(by: width)
  }

  /// For each level, `[B]`.
  func choices() throws(TorchError) -> [Tensor] {
    if width == 1 { return run.codes }
    let best = try bestPaths()
    var choices: [Tensor] = []
    for level in run.codes { choices.append(try level.gathered(best)) }
    return choices
  }

  func reconstruction() throws -> Reconstruction.Part {
    var (levels, losses): ([Tensor], [Tensor]) = ([], [])
    var rows = width > 1 ? try bestPaths() : nil  // nil for path i of image i
    for level in history.reversed() {
      let images = try rows.map { (rows) throws(TorchError) in try level.images.selecting(rows) } ?? level.images
      levels.append(try images.perSample())
      losses.append(try images.losses(to: target))
      guard let parents = level.parents else { continue }
      rows = try rows.map { (rows) throws(TorchError) in try parents.gathered(rows) } ?? parents
    }
    return try Reconstruction.Part(
      codes: choices().latentCodes(in: run.network.codeSpace), levels: levels.reversed(), losses: losses.reversed())
  }
}
