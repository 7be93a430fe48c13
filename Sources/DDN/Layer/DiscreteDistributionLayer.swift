import Torch

/// K nodes that each make an image from the same features, of which one is chosen.
///
/// A node is a 1x1 convolution without a bias. Only the chosen image is formed with its gradient; see `NodeDistances`
/// for how the choice is made without forming the others.
///
/// Source: paper, section 3.1 (Discrete Distribution Layer) and section 3.4.
public final class DiscreteDistributionLayer: Module {
  public struct Configuration: Codable, Sendable, Equatable {
    /// K, at least 2.
    public var nodes: Int
    /// C, channels of the images.
    public var imageChannels: Int
    /// Channels of the features; with leak choice the first half makes the images, so it must be even.
    public var featureChannels: Int
    /// Whether the chosen node also turns the second half of the features into a hint for the next level.
    public var leaksChoice: Bool
    /// Whether nodes add to the previous level's image instead of making a whole one.
    public var learnsResidual: Bool
    public var measure: NodeDistances.Measure

    public init(
      nodes: Int, imageChannels: Int, featureChannels: Int, leaksChoice: Bool = true, learnsResidual: Bool = false,
      measure: NodeDistances.Measure = .squared
    ) {
      precondition(nodes >= 2, "a layer needs at least 2 nodes, not \(nodes)")
      precondition(!leaksChoice || featureChannels % 2 == 0, "leak choice halves \(featureChannels) channels")
      self.nodes = nodes
      self.imageChannels = imageChannels
      self.featureChannels = featureChannels
      self.leaksChoice = leaksChoice
      self.learnsResidual = learnsResidual
      self.measure = measure
    }

    /// F, the feature channels that one node reads.
    public var nodeInputs: Int { leaksChoice ? featureChannels / 2 : featureChannels }
  }

  /// Applies the chosen node of every row to its parent's features; see `Sources/CTorchShim/Kernels/chosen_images.cpp`.
  private static let chosenImages = Operator("ddn::chosen_images")

  public let configuration: Configuration
  /// `[K C, F, 1, 1]`; row `k C + c` is channel c of node k.
  public let weight: Parameter
  /// How the nodes were used in training; changed by `SplitAndPrune`.
  ///
  /// Made when first asked for: K * K numbers, which only training needs.
  public var statistics: NodeStatistics {
    get {
      if madeStatistics == nil { madeStatistics = NodeStatistics(nodes: configuration.nodes) }
      return madeStatistics!
    }
    _modify {  // In place: a setter would copy the table at every step.
      if madeStatistics == nil { madeStatistics = NodeStatistics(nodes: configuration.nodes) }
      yield &madeStatistics!
    }
  }
  private var madeStatistics: NodeStatistics?
  /// What training batches have shown since `SplitAndPrune` last looked.
  var observations: [Observation] = []

  /// Drops what the batches of an abandoned training step have shown.
  public func forgetObservations() { observations = [] }

  /// One batch's choices, still on the device.
  struct Observation {
    let nearest: Tensor  // [B] int64
    let second: Tensor  // [B] int64
    let distanceSums: Tensor  // [K] float32
  }

  /// Weights start uniform within plus and minus 1 / sqrt(F).
  public init(_ configuration: Configuration, generator: Generator) throws(TorchError) {
    self.configuration = configuration
    let rows = configuration.nodes * configuration.imageChannels
    let numbers = try Tensor.uniform([rows, configuration.nodeInputs, 1, 1], generator: generator)
    let bound = 1 / Double(configuration.nodeInputs).squareRoot()
    weight = try Parameter((numbers * (2 * bound)) - bound)
  }

  /// Chooses a node for every image and makes the chosen images.
  ///
  /// - Parameters:
  ///   - level: the number of this level, from 0.
  ///   - features: `[R, featureChannels, H, W]`, one row for each path so far.
  ///   - previous: `[R, C, h, w]`, the image chosen at the level before; nil at the first.
  ///   - paths: which row each image of the batch reads.
  public func callAsFunction(
    level: Int, features: Tensor, previous: Tensor?, paths: SharedPaths, chooser: any Chooser
  ) throws -> LevelOutput {
    let (nodes, channels) = (configuration.nodes, configuration.imageChannels)
    let inputs = configuration.nodeInputs
    let size = Array(features.shape[2...])  // [H, W]
    let base = try configuration.learnsResidual ? previous.map { try $0.resizedToMatch(size) } : nil

    let candidates = Candidates(
      level: level, nodes: nodes, paths: paths, features: try features.slice(1, 0..<inputs),
      weights: try weight.tensor.reshaped([nodes, channels, inputs]), base: base, measure: configuration.measure)
    let choice = try withoutGradients { try chooser.choose(from: candidates) }
    if mode == .training, let distances = choice.distances { try observe(distances) }

    let branching = try paths.branching(at: choice.codes, nodes: nodes)
    var made = try Self.chosenImages.tensors(  // of each half of the features [R', C, H, W]
      .tensor(features), .tensor(candidates.weights), .optional(branching.parentOfRow),
      .tensor(branching.codeOfRow))
    if let base { made[0] = try made[0] + branching.inherit(base) }
    return LevelOutput(
      level: level, codes: choice.codes, distances: choice.distances, paths: branching.paths, images: made[0],
      leak: configuration.leaksChoice ? made[1] : nil, features: try branching.inherit(features),
      parentOfRow: branching.parentOfRow)
  }

  private func observe(_ distances: Tensor) throws {
    try withoutGradients {
      let nearest = try distances.argmin(1)  // [B]
      let others = try distances.scattering(.infinity, at: nearest.reshaped([-1, 1]), dimension: 1)
      observations.append(
        Observation(nearest: nearest, second: try others.argmin(1), distanceSums: try distances.sum([0])))
    }
  }
}

/// What one level has chosen and made.
public struct LevelOutput {
  /// The level, from 0.
  public let level: Int
  /// `[B]` int64, the chosen node of every image.
  public let codes: Tensor
  /// `[B, K]` distances to the target, when a target chose.
  public let distances: Tensor?
  /// The paths after this level's choice.
  public let paths: SharedPaths
  /// `[R, C, H, W]`, the chosen images, one row for each path.
  public let images: Tensor
  /// `[R, C, H, W]`, the leaked choice; nil when the layer leaks none.
  public let leak: Tensor?
  /// `[R, featureChannels, H, W]`, the features that the chosen images came from.
  public let features: Tensor
  /// `[R]` int64, the row before this level's choice that each row continues; nil when row r continues row r.
  public let parentOfRow: Tensor?

  /// `[B, C, H, W]`, the chosen image of every image of the batch.
  public func imagesPerSample() throws(TorchError) -> Tensor { try paths.perSample(images) }

  /// `[B]`, how far every chosen image is from the target; this is what training makes small.
  public func losses(
    to target: Target, measure: NodeDistances.Measure = .squared
  ) throws(TorchError) -> Tensor {
    let shape = images.shape
    let difference = try imagesPerSample() - target.sized(height: shape[2], width: shape[3])
    return try (measure == .squared ? difference.squared() : difference.absolute()).mean([1, 2, 3])
  }
}

extension Tensor {
  /// This image batch at a size `[H, W]`, bilinear where it differs.
  fileprivate func resizedToMatch(_ size: [Int]) throws(TorchError) -> Tensor {
    Array(shape[2...]) == size ? self : try resizedBilinear(height: size[0], width: size[1])
  }
}
