import Torch

/// A network that computes an image level by level, choosing one of K candidates at each.
///
/// Training, reconstruction, generation, decoding and guided generation are the same run with different choosers. A new
/// network says how a run begins, what features each level's nodes read, and which layer of nodes the level has;
/// `NetworkRun` does the rest. Its configuration conforms to `NetworkArchitecture`.
public protocol DiscreteDistributionNetwork: Module {
  /// Number of nodes and resolution of every level.
  var codeSpace: CodeSpace { get }
  /// Channels, height and width of the final image.
  var imageShape: [Int] { get }
  /// What the network can be conditioned on.
  var conditions: [ConditionKind] { get }
  /// The components whose coefficients the network computes; nil for a network of pixels.
  var components: PrincipalComponents? { get }
  /// Where the weights are.
  var device: Device { get }

  /// A run before its first level.
  ///
  /// - Parameters:
  ///   - samples: images in the batch, B, at least 1.
  ///   - condition: what the images are conditioned on.
  /// - Throws: `ConditionError` when the condition is missing or unsupported; `TorchError`.
  func begin(samples: Int, condition: Condition) throws -> NetworkRun

  /// The features that the nodes of the run's next level read: `[R, featureChannels, H, W]`, or with components
  /// `[R, featureChannels, 1, P]`, or with a basis `[R, featureChannels, 1, r]`.
  func features(of run: NetworkRun) throws -> Tensor

  /// The space of which a level's features are coordinates; nil for features that are given themselves.
  func basis(at level: Int) -> FeatureBasis?

  /// The part of the features that a level's nodes read, `[1, 1, 1, P]` of zeros and ones; nil for all.
  func visibleFeatures(at level: Int) throws -> Tensor?

  /// The nodes of a level; several levels may share a layer.
  func layer(at level: Int) -> DiscreteDistributionLayer
}

/// A network that takes some of its parameters from the training images, without learning them.
public protocol FittedNetwork: DiscreteDistributionNetwork {
  /// Fits these parameters to images.
  ///
  /// - Parameters:
  ///   - images: the training images.
  ///   - nodes: how to choose the initial nodes.
  ///   - progress: called with the finished share; throwing aborts.
  /// - Throws: what the source and `progress` throw; `TorchError`.
  func fit(to images: any EncodingSource, nodes: InitialNodes, progress: (Double) throws -> Void) throws
}

extension DiscreteDistributionNetwork {
  public var components: PrincipalComponents? { nil }

  public func basis(at level: Int) -> FeatureBasis? { nil }

  public func visibleFeatures(at level: Int) throws -> Tensor? { nil }

  /// Runs all levels.
  ///
  /// - Parameters:
  ///   - samples: images in the batch, B.
  ///   - condition: what the images are conditioned on.
  ///   - chooser: chooses at each level.
  ///   - observe: called with every level's output.
  /// - Returns: the last level's output.
  /// - Throws: `ConditionError` when the condition is missing or unsupported; what the chooser and `observe` throw;
  ///   `TorchError`.
  @discardableResult
  public func run(
    samples: Int, condition: Condition = .none, chooser: any Chooser, observe: (LevelOutput) throws -> Void = { _ in }
  ) throws -> LevelOutput {
    var run = try begin(samples: samples, condition: condition)
    var output: LevelOutput!
    while !run.isFinished {
      output = try run.advance(by: chooser)
      try observe(output)
    }
    return output
  }

  /// All levels' outputs.
  public func outputs(samples: Int, condition: Condition = .none, chooser: any Chooser) throws -> [LevelOutput] {
    var outputs: [LevelOutput] = []
    try run(samples: samples, condition: condition, chooser: chooser) { outputs.append($0) }
    return outputs
  }

  /// How many classes the network can be conditioned on; 0 for none.
  public var classes: Int { conditions.classes }

  /// The part of a batch's data that this network can be conditioned on.
  ///
  /// - Parameters:
  ///   - classes: `[B]` int64.
  ///   - sources: `[B, C, H, W]` in [-1, 1], the images that conditions on images are computed from.
  ///   - randomness: training's random choices within a condition; nil for fixed ones.
  public func condition(classes: Tensor?, sources: Tensor?, randomness: Generator? = nil) -> Condition {
    Condition(
      classes: self.classes > 0 ? classes : nil,
      sources: conditions.contains(where: \.needsImages) ? sources : nil, randomness: randomness)
  }
}

extension Module {
  /// Every layer of nodes within this module with its name; a layer may serve several levels.
  public var layers: [(name: String, layer: DiscreteDistributionLayer)] {
    namedModules().compactMap { name, module in (module as? DiscreteDistributionLayer).map { (name, $0) } }
  }
}
