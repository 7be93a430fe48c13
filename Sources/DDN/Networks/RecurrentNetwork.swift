import Torch

/// The Recurrence Iteration network: all levels share one small U-Net and its nodes.
///
/// At base width 8 with 64 nodes it has 407,311 parameters. Images are 32x32, gray, in [-1, 1].
/// Source: paper, section 3.1 (Recurrence Iteration Paradigm, Figure 3c).
public final class RecurrentNetwork: Module, DiscreteDistributionNetwork {
  public struct Configuration: Codable, Sendable, Equatable {
    /// Channels at full resolution, B; even with leak choice.
    public var baseWidth: Int
    /// K of every level.
    public var nodes: Int
    /// Runs of each stack; levels = stacks * repeats.
    public var repeats: Int
    /// U-Nets with separate weights, run in sequence.
    public var stacks: Int
    public var leaksChoice: Bool
    public var learnsResidual: Bool
    /// Whether the network is conditioned on the classes 0...9.
    public var isClassConditional: Bool
    /// F, the features that a node reads, computed from the U-Net's by a 1x1 convolution; nil for the U-Net's own, as in
    /// the original: half of them with leak choice.
    public var nodeFeatures: Int?
    /// Whether layer norms scale and shift channels and not, as in the original, every pixel; nil for no.
    ///
    /// At base width 8 the original's have most of the network's parameters.
    public var normsByChannel: Bool?

    public init(
      baseWidth: Int = 8, nodes: Int = 64, repeats: Int = 10, stacks: Int = 1, leaksChoice: Bool = true,
      learnsResidual: Bool = false, isClassConditional: Bool = false, nodeFeatures: Int? = nil,
      normsByChannel: Bool? = nil
    ) {
      self.baseWidth = baseWidth
      self.nodes = nodes
      self.repeats = repeats
      self.stacks = stacks
      self.leaksChoice = leaksChoice
      self.learnsResidual = learnsResidual
      self.isClassConditional = isClassConditional
      self.nodeFeatures = nodeFeatures
      self.normsByChannel = normsByChannel
    }

    public var levels: Int { stacks * repeats }

    /// Channels of a level's features.
    var featureChannels: Int { nodeFeatures.map { leaksChoice ? 2 * $0 : $0 } ?? baseWidth }

    var layer: DiscreteDistributionLayer.Configuration {
      .init(
        nodes: nodes, imageChannels: 1, featureChannels: featureChannels, leaksChoice: leaksChoice,
        learnsResidual: learnsResidual)
    }
  }

  static let imageSide = 32

  public let configuration: Configuration
  public let codeSpace: CodeSpace
  let stacks: [RecurrentUNet]

  /// A network with fresh weights drawn from the generator.
  public init(_ configuration: Configuration, generator: Generator) throws(TorchError) {
    configuration.requireValid()
    self.configuration = configuration
    codeSpace = configuration.codeSpace
    var stacks: [RecurrentUNet] = []
    for _ in 0..<configuration.stacks { stacks.append(try RecurrentUNet(configuration, generator: generator)) }
    self.stacks = stacks
  }

  public var imageShape: [Int] { configuration.imageShape }
  public var conditions: [ConditionKind] { configuration.conditions }
  public var device: Device { stacks[0].layer.weight.tensor.device }

  /// The run's context holds every stack's class shifts; its condition holds each row's class, `[R]`, if any. Every network
  /// has class shifts, as the original's, so that classes are accepted of networks that were trained without them, too.
  public func begin(samples: Int, condition: Condition) throws -> NetworkRun {
    var paths = try SharedPaths(samples: samples, device: device)
    var shifts = try stacks.map { try $0.classShifts() }
    var classOfRow: [Tensor] = []
    if let classes = condition.classes {
      let branching = try paths.branching(at: classes, nodes: RecurrentUNet.classes)
      (paths, classOfRow) = (branching.paths, [branching.codeOfRow])
    } else {  // Class 0 for all, as in the original.
      let first = try Tensor.zeros([1], dtype: .int64, device: device)
      shifts = try shifts.map { try $0.ofRows(first) }
    }
    return NetworkRun(
      self, paths: paths, features: try linearEmbedding(channels: configuration.featureChannels, rows: paths.rows),
      condition: classOfRow, context: shifts.flatMap(\.tensors))
  }

  public func features(of run: NetworkRun) throws -> Tensor {
    let stack = run.level / configuration.repeats
    var shifts = RecurrentUNet.ClassShifts(tensors: run.context, ofStack: stack)
    if let classOfRow = run.condition.first { shifts = try shifts.ofRows(classOfRow) }
    let image = try run.chosen ?? linearEmbedding(channels: 1, rows: run.paths.rows)
    return try stacks[stack](
      image: image, features: run.features, leakedChoice: run.leakedChoice ?? image, shifts: shifts)
  }

  public func layer(at level: Int) -> DiscreteDistributionLayer { stacks[level / configuration.repeats].layer }

  /// A ramp from -1 to 1, the input of the first level: `[rows, channels, H, W]`.
  private func linearEmbedding(channels: Int, rows: Int) throws(TorchError) -> Tensor {
    let shape = [channels, Self.imageSide, Self.imageSide]
    return try Tensor(PositionalFeatures.linearEmbedding(shape: shape), shape: [1] + shape).to(device)
      .expanded([rows] + shape)
  }
}

extension RecurrentNetwork.Configuration: NetworkArchitecture {
  public static var kind: String { "recurrent" }
  public static var noun: String { "recurrent network" }

  public func validate() throws(ConfigurationError) {
    if !(1...1024).contains(baseWidth) {
      throw ConfigurationError("a base width of \(baseWidth) is not within 1...1024")
    }
    if let nodeFeatures, !(1...1024).contains(nodeFeatures) {
      throw ConfigurationError("\(nodeFeatures) features for a node are not within 1...1024")
    }
    if leaksChoice && nodeFeatures == nil && baseWidth % 2 != 0 {
      throw ConfigurationError("leak choice needs an even base width, not \(baseWidth)")
    }
    if !(2...4096).contains(nodes) { throw ConfigurationError("\(nodes) nodes a level are not within 2...4096") }
    if !(1...1024).contains(repeats) || !(1...64).contains(stacks) {
      throw ConfigurationError("\(stacks) stacks of \(repeats) levels are not within 1...64 stacks of 1...1024")
    }
  }

  public var codeSpace: CodeSpace { CodeSpace(nodes: nodes, levels: levels, side: RecurrentNetwork.imageSide) }
  public var imageShape: [Int] { [1, RecurrentNetwork.imageSide, RecurrentNetwork.imageSide] }
  public var conditions: [ConditionKind] { isClassConditional ? [.classNumber(of: RecurrentUNet.classes)] : [] }

  /// The nodes, and each U-Net's layer norms at full resolution and widest convolution.
  public var parameterLowerBound: Int {
    let side = normsByChannel == true ? 1 : RecurrentNetwork.imageSide
    let norms = 9 * baseWidth * 2 * side * side
    return stacks * (nodes * layer.nodeInputs + norms + 8 * baseWidth * 4 * baseWidth * 9)
  }

  public var summary: String {
    "\(nodes) nodes x \(levels) levels, width \(baseWidth)" + (nodeFeatures.map { ", \($0) node features" } ?? "")
      + (leaksChoice ? "" : ", no leaked choice") + (normsByChannel == true ? ", norms by channel" : "")
      + (isClassConditional ? ", class-conditional" : "")
  }

  /// Repeats and the class condition may differ: they have no weights.
  public func weightDifference(from other: Self) -> String? {
    difference("nodes", nodes, other.nodes) ?? difference("width", baseWidth, other.baseWidth)
      ?? difference("stacks", stacks, other.stacks) ?? difference("leaked choice", leaksChoice, other.leaksChoice)
      ?? difference("learned residuals", learnsResidual, other.learnsResidual)
      ?? difference("node features", layer.nodeInputs, other.layer.nodeInputs)
      ?? difference("norms by channel", normsByChannel ?? false, other.normsByChannel ?? false)
  }

  /// Readers of versions 1 and 2 overlook what the original does not have.
  public var formatVersion: Int { nodeFeatures == nil && normsByChannel != true ? 1 : 3 }

  public func makeNetwork(generator: Generator) throws(TorchError) -> any DiscreteDistributionNetwork {
    try RecurrentNetwork(self, generator: generator)
  }
}
