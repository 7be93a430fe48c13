import Torch

/// A network that makes an image level by level, choosing one of K candidates at each.
///
/// Training, reconstruction, generation and decoding are the same run with another `Chooser`.
public protocol DiscreteDistributionNetwork: Module {
  /// K of every level, from level 0.
  var nodesOfLevels: [Int] { get }
  /// Channels, height and width of the final image.
  var imageShape: [Int] { get }
  /// How many classes the network can be told about; 0 when it takes none.
  var classes: Int { get }

  /// Runs all levels.
  ///
  /// - Parameters:
  ///   - samples: images in the batch, B.
  ///   - classes: `[B]` int64 class of every image; nil for no class.
  ///   - chooser: who chooses at each level.
  ///   - observe: sees every level's output as it is made.
  /// - Returns: the last level's output.
  @discardableResult
  func run(
    samples: Int, classes: Tensor?, chooser: any Chooser, observe: (LevelOutput) throws -> Void
  ) throws -> LevelOutput
}

extension DiscreteDistributionNetwork {
  /// All levels' outputs.
  public func outputs(samples: Int, classes: Tensor? = nil, chooser: any Chooser) throws -> [LevelOutput] {
    var outputs: [LevelOutput] = []
    try run(samples: samples, classes: classes, chooser: chooser) { outputs.append($0) }
    return outputs
  }

  public var device: Device { layers[0].layer.weight.tensor.device }
}

extension Module {
  /// Every layer of nodes within this module with its name; a layer may serve several levels.
  public var layers: [(name: String, layer: DiscreteDistributionLayer)] {
    namedModules().compactMap { name, module in (module as? DiscreteDistributionLayer).map { (name, $0) } }
  }
}
