import Torch

/// A network that makes an image level by level, choosing one of K candidates at each.
///
/// Training, reconstruction, generation and decoding are the same run with another `Chooser`.
public protocol DiscreteDistributionNetwork: Module {
  /// K of every level, from level 0.
  var nodesOfLevels: [Int] { get }
  /// Channels, height and width of the final image.
  var imageShape: [Int] { get }
  /// What the network can be told about the images.
  var conditions: [ConditionKind] { get }

  /// Where the weights are.
  var device: Device { get }

  /// Runs all levels.
  ///
  /// - Parameters:
  ///   - samples: images in the batch, B.
  ///   - condition: what is known of the images.
  ///   - chooser: who chooses at each level.
  ///   - observe: sees every level's output as it is made.
  /// - Returns: the last level's output.
  /// - Throws: `ConditionError` when the condition lacks what the network needs; what the chooser and `observe` throw;
  ///   `TorchError`.
  @discardableResult
  func run(
    samples: Int, condition: Condition, chooser: any Chooser, observe: (LevelOutput) throws -> Void
  ) throws -> LevelOutput
}

extension DiscreteDistributionNetwork {
  /// All levels' outputs.
  public func outputs(samples: Int, condition: Condition = .none, chooser: any Chooser) throws -> [LevelOutput] {
    var outputs: [LevelOutput] = []
    try run(samples: samples, condition: condition, chooser: chooser) { outputs.append($0) }
    return outputs
  }

  /// How many classes the network can be told about; 0 when it takes none.
  public var classes: Int { conditions.classes }

  /// The part of what is known that this network can be told.
  ///
  /// - Parameters:
  ///   - classes: `[B]` int64.
  ///   - sources: `[B, C, H, W]` in [-1, 1], the images that a condition is taken from.
  ///   - randomness: where training draws what is arbitrary about a condition; nil for none of that.
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
