import Torch

/// K nodes that each compute an image from the same features; one image is chosen.
///
/// A node is a 1x1 convolution without bias. Only the chosen image has a gradient; `NodeDistances` finds it without
/// computing the others.
///
/// Source: paper, section 3.1 (Discrete Distribution Layer) and section 3.4.
public final class DiscreteDistributionLayer: Module {
  public struct Configuration: Codable, Sendable, Equatable {
    /// K, at least 2.
    public var nodes: Int
    /// C, channels of the images.
    public var imageChannels: Int
    /// Channels of the features; even with leak choice, where nodes read the first half.
    public var featureChannels: Int
    /// Whether the chosen node also maps the second half of the features to a hint for the next level (Leak Choice).
    public var leaksChoice: Bool
    /// Whether nodes compute a residual to the previous level's image.
    public var learnsResidual: Bool
    /// Q, a divisor of K: node `q K / Q + k` computes the image of node k times a learned gain. 1 for separate nodes;
    /// with more, Split-and-Prune leaves the layer as it is.
    public var gains = 1

    public init(
      nodes: Int, imageChannels: Int, featureChannels: Int, leaksChoice: Bool = true, learnsResidual: Bool = false,
      gains: Int = 1
    ) {
      precondition(nodes >= 2, "a layer needs at least 2 nodes, not \(nodes)")
      precondition(gains >= 1 && nodes % gains == 0, "\(nodes) nodes do not divide into \(gains) gains")
      precondition(!leaksChoice || featureChannels % 2 == 0, "leak choice needs even channels, not \(featureChannels)")
      self.nodes = nodes
      self.imageChannels = imageChannels
      self.featureChannels = featureChannels
      self.leaksChoice = leaksChoice
      self.learnsResidual = learnsResidual
      self.gains = gains
    }

    /// F, the feature channels that one node reads.
    public var nodeInputs: Int { leaksChoice ? featureChannels / 2 : featureChannels }
  }

  public let configuration: Configuration
  /// `[K C, F, 1, 1]`; row `k C + c` is channel c of node k. With gains K / Q nodes.
  public let weight: Parameter
  /// `[Q]`; nil for one.
  let gains: Parameter?
  /// Use of the nodes in training; updated by `SplitAndPrune`.
  ///
  /// Allocated on first use: K * K numbers that only training needs.
  public var statistics: NodeStatistics {
    get {
      if storedStatistics == nil { storedStatistics = NodeStatistics(nodes: configuration.nodes) }
      return storedStatistics!
    }
    _modify {  // In place: a setter would copy the table at every step.
      if storedStatistics == nil { storedStatistics = NodeStatistics(nodes: configuration.nodes) }
      yield &storedStatistics!
    }
  }
  private var storedStatistics: NodeStatistics?
  /// Training batches since the last step of `SplitAndPrune`.
  var observations: [Observation] = []

  /// Drops the observations of an abandoned training step.
  public func discardObservations() { observations = [] }

  /// One batch's nearest nodes, on the network's device.
  struct Observation {
    let level: Int
    let nearest: Tensor  // [B] int64, or float32 of several processes
    let second: Tensor  // [B], alike
    let distanceSums: Tensor  // [K] float32
  }

  /// Initial weights are uniform in ±1 / sqrt(F).
  public init(_ configuration: Configuration, generator: Generator) throws(TorchError) {
    self.configuration = configuration
    let rows = configuration.nodes / configuration.gains * configuration.imageChannels
    let numbers = try Tensor.uniform([rows, configuration.nodeInputs, 1, 1], generator: generator)
    let bound = 1 / Double(configuration.nodeInputs).squareRoot()
    weight = try Parameter((numbers * (2 * bound)) - bound)
    let count = configuration.gains
    gains =
      count == 1
      ? nil : try Parameter(Tensor((0..<count).map { Float(2 * $0 + 1 - count) / Float(count) }, shape: [count]))
  }

  /// Chooses a node for every image and computes the chosen images.
  ///
  /// - Parameters:
  ///   - level: from 0.
  ///   - features: `[R, featureChannels, H, W]`, one row per path.
  ///   - previous: `[R, C, h, w]`, the previous level's chosen images; nil at the first.
  ///   - paths: the row that each image of the batch reads.
  ///   - chooser: chooses one node for every image.
  public func callAsFunction(
    level: Int, features: Tensor, previous: Tensor?, paths: SharedPaths, chooser: any Chooser
  ) throws -> LevelOutput {
    try choose(from: candidates(level: level, features: features, previous: previous, paths: paths), by: chooser)
  }

  /// The first half of `callAsFunction`: the K images to choose from, not yet computed.
  ///
  /// A basis, visible features and components are for layers without leak choice, whose hint would need them, too.
  func candidates(
    level: Int, features: Tensor, basis: FeatureBasis? = nil, previous: Tensor?, paths: SharedPaths,
    visible: Tensor? = nil, components: PrincipalComponents? = nil
  ) throws(TorchError) -> Candidates {
    precondition(
      !configuration.leaksChoice || basis == nil && visible == nil && components == nil,
      "leak choice goes with neither a basis nor visible features nor components")
    let inputs = configuration.nodeInputs
    var base = configuration.learnsResidual ? previous : nil
    if components == nil {
      let size = Array(features.shape[2...])  // [H, W]
      base = try base.map { (base) throws(TorchError) in try base.resizedToMatch(size) }
    }
    var (read, basis) = (try features.slice(1, 0..<inputs), basis)
    if let visible {
      read = try (basis.map { (basis) throws(TorchError) in try basis.values(of: read) } ?? read) * visible
      basis = nil
    }
    return Candidates(
      level: level, paths: paths, levelFeatures: features, features: read, basis: basis, weights: try weights(),
      base: base, components: components)
  }

  /// `[K, C, F]`.
  private func weights() throws(TorchError) -> Tensor {
    let shape = [configuration.nodes, configuration.imageChannels, configuration.nodeInputs]
    guard let gains else { return try weight.tensor.reshaped(shape) }
    return try (gains.tensor.reshaped([-1, 1]) * weight.tensor.reshaped([1, -1])).reshaped(shape)
  }

  /// The second half: the choice, and the chosen images.
  func choose(from candidates: Candidates, by chooser: any Chooser) throws -> LevelOutput {
    let choice = try withoutGradients { try chooser.choose(from: candidates) }
    if mode == .training, let distances = choice.distances { try observe(distances, level: candidates.level) }

    let branching = try candidates.paths.branching(at: choice.codes, nodes: configuration.nodes)
    let (chosen, leakedChoice) = try candidates.chosen(by: branching, leaksChoice: configuration.leaksChoice)
    return LevelOutput(
      level: candidates.level, codes: choice.codes, distances: choice.distances, paths: branching.paths,
      chosen: chosen, components: candidates.components, leakedChoice: leakedChoice,
      featureRows: InheritedRows(source: candidates.levelFeatures, parents: branching.parentOfRow))
  }

  private func observe(_ distances: Tensor, level: Int) throws {
    try withoutGradients {
      let (nearest, second) = try NodeStatistics.nearestPairs(distances)
      observations.append(
        Observation(level: level, nearest: nearest, second: second, distanceSums: try distances.sum([0])))
    }
  }
}

extension Tensor {
  /// The images at size `[H, W]`; bilinear if it differs.
  fileprivate func resizedToMatch(_ size: [Int]) throws(TorchError) -> Tensor {
    Array(shape[2...]) == size ? self : try resizedBilinear(height: size[0], width: size[1])
  }
}
