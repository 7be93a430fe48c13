import Torch

/// The state of a batch between two levels: a value that advances one level at a time and can be copied and resampled.
///
///     var run = try network.begin(samples: 8, condition: .none)
///     while !run.isFinished { try run.advance(by: chooser) }
///
/// Copies are independent and share tensors. `select` resamples the batch: a beam search keeps the best paths, a tree
/// walk goes back to an earlier copy and takes another branch.
public struct NetworkRun {
  public let network: any DiscreteDistributionNetwork
  /// The next level, from 0; L when the run is finished.
  public private(set) var level = 0
  /// The row of each image in the tensors below.
  public private(set) var paths: SharedPaths
  /// What the next level continues from.
  private var featureRows: InheritedRows
  /// `[R, C, h, w]`, the images chosen last; nil before level 0. Of a network with components `[R, 1, 1, P]`.
  public private(set) var chosen: Tensor?
  /// `[R, C, h, w]`, the last level's leaked choice; nil before level 0 and without leak choice.
  public private(set) var leakedChoice: Tensor?
  /// The network's state of the condition, each `[R, ...]`; empty after the last level.
  public private(set) var condition: [Tensor]
  /// What the network computes once per run, shared by all rows.
  public let context: [Tensor]
  /// For each level so far, the chosen nodes: `[B]` int64.
  public private(set) var codes: [Tensor] = []
  /// The next level's candidates, cached.
  private var nextCandidates: Candidates?

  /// A run before its first level; networks create it in `begin`.
  public init(
    _ network: any DiscreteDistributionNetwork, paths: SharedPaths, features: Tensor, condition: [Tensor] = [],
    context: [Tensor] = []
  ) {
    self.network = network
    self.paths = paths
    featureRows = InheritedRows(source: features)
    self.condition = condition
    self.context = context
  }

  /// `[R, C', h, w]`, the features that the next level continues from, in a basis their coordinates; gathered at each call.
  public var features: Tensor { get throws(TorchError) { try featureRows.tensor } }

  /// `[R, C, h, w]`, the images chosen last; nil before level 0. Computed at each call for a network with components.
  public var images: Tensor? {
    get throws(TorchError) {
      guard let chosen, let components = network.components else { return chosen }
      return try components.images(of: chosen)
    }
  }

  /// Images in the batch, B.
  public var samples: Int { paths.samples }
  public var isFinished: Bool { level == network.codeSpace.levels.count }

  /// The codes so far, one for each image; empty before level 0.
  public func latentCodes() throws -> [LatentCode] { try codes.latentCodes(in: network.codeSpace) }

  /// The next level's candidates, to score them before choosing; cached.
  public mutating func candidates() throws -> Candidates {
    if let nextCandidates { return nextCandidates }
    let candidates = try network.layer(at: level)
      .candidates(
        level: level, features: network.features(of: self), basis: network.basis(at: level), previous: chosen,
        paths: paths, visible: network.visibleFeatures(at: level), components: network.components)
    nextCandidates = candidates
    return candidates
  }

  /// Chooses at one level.
  ///
  /// - Throws: what the chooser throws; `TorchError`. The run is then unchanged.
  @discardableResult
  public mutating func advance(by chooser: any Chooser) throws -> LevelOutput {
    precondition(!isFinished, "the run has no level \(level)")
    let output = try network.layer(at: level).choose(from: candidates(), by: chooser)
    nextCandidates = nil
    if level + 1 == network.codeSpace.levels.count {
      condition = []  // No level needs it any more.
    } else if let parents = output.parentOfRow {
      condition = try condition.map { try $0.gathered(parents) }
    }
    (paths, chosen, leakedChoice) = (output.paths, output.chosen, output.leakedChoice)
    featureRows = output.featureRows
    codes.append(output.codes)
    level += 1
    return output
  }

  /// Makes given choices at one level.
  ///
  /// - Parameter codes: `[B]` int64 in 0..<K.
  /// - Throws: `TorchError`. The run is then unchanged.
  @discardableResult
  public mutating func advance(choosing codes: Tensor) throws -> LevelOutput {
    try advance(by: GivenChooser(self.codes + [codes]))
  }

  /// Replaces the batch by continuations of its images: new image i has the past of image `parents[i]`.
  ///
  /// If it throws, the run is unchanged.
  ///
  /// - Parameter parents: at least one, in 0..<samples; repeats widen the batch, omissions narrow it.
  public mutating func select(_ parents: [Int]) throws(TorchError) {
    precondition(!parents.isEmpty && parents.allSatisfy { (0..<samples).contains($0) }, "no such images: \(parents)")
    try select(rows: Tensor(parents, shape: [parents.count]).to(network.device))
  }

  /// The same with parents on the network's device, which are not checked.
  ///
  /// - Parameter rows: `[B']` int64 in 0..<samples; at least one.
  public mutating func select(rows: Tensor) throws(TorchError) {
    // Candidates that are computed already are shared until a choice copies what it needs.
    let isComputed = nextCandidates != nil && rows.shape[0] >= paths.rows
    let selection = try isComputed ? paths.sharingRows(rows) : paths.selecting(rows)
    func inherit(_ tensor: Tensor?) throws(TorchError) -> Tensor? {
      guard let tensor else { return nil }
      return try selection.inherit(tensor)
    }
    var (conditionRows, choices): ([Tensor], [Tensor]) = ([], [])
    for part in condition { conditionRows.append(try selection.inherit(part)) }
    for level in codes { choices.append(try level.gathered(rows)) }
    let candidates = try nextCandidates.map { (candidates) throws(TorchError) in try candidates.selecting(selection) }
    let features = try featureRows.selecting(selection)
    (chosen, leakedChoice) = (try inherit(chosen), try inherit(leakedChoice))  // Nothing throws after this.
    (nextCandidates, featureRows) = (candidates, features)
    (paths, condition, codes) = (selection.paths, conditionRows, choices)
  }
}
