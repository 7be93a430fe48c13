import Torch

/// The Single Shot Generator: residual blocks of increasing resolution, each followed by a layer of nodes.
///
/// Every level has separate weights. The default configuration is the original's for CIFAR-10: 32x32 colour images, 63
/// levels of 64 nodes, 378 bits, 76,291,840 parameters.
/// Source: paper, section 3.1 (Single Shot Generator, Figure 3b) and section 3.4.
public final class PyramidNetwork: Module, DiscreteDistributionNetwork {
  public struct Configuration: Codable, Sendable, Equatable {
    /// Pixels on a side of the images, a power of two.
    public var resolution: Int
    /// Channels of the images: 1 or 3.
    public var imageChannels: Int
    /// Pixels on a side at the first level, a power of two.
    public var startSide: Int
    /// Features have `channelBase / side` channels, clamped to `channelMinimum...channelMaximum`.
    public var channelBase: Int
    public var channelMinimum: Int
    public var channelMaximum: Int
    /// Channels at every side from `startSide`; nil for the rule above.
    public var channelsOfScales: [Int]?
    /// Maximum levels per side, before `blocksTimes`.
    public var maxBlocks: Int
    /// Maximum nodes per level.
    public var maxNodes: Int
    /// Factor of the number of levels per side, which is rounded; side 1 keeps one level.
    public var blocksTimes: Double
    /// Whether nodes compute a residual to the previous level's image.
    public var learnsResidual: Bool
    /// Whether the chosen node gives the next level a hint (Leak Choice); nil for yes, as in the original program.
    public var leaksChoice: Bool?
    /// What the network is conditioned on.
    public var conditions: [ConditionKind]
    /// What the first level reads as the previous image; nil for zeros. Only for images of 3 channels.
    public var initialImage: InitialImage?

    public init(
      resolution: Int = 32, imageChannels: Int = 3, startSide: Int = 1, channelBase: Int = 8192,
      channelMinimum: Int = 4, channelMaximum: Int = 256, channelsOfScales: [Int]? = nil, maxBlocks: Int = 64,
      maxNodes: Int = 64, blocksTimes: Double = 1, learnsResidual: Bool = true, conditions: [ConditionKind] = [],
      initialImage: InitialImage? = nil, leaksChoice: Bool? = nil
    ) {
      self.resolution = resolution
      self.imageChannels = imageChannels
      self.startSide = startSide
      self.channelBase = channelBase
      self.channelMinimum = channelMinimum
      self.channelMaximum = channelMaximum
      self.channelsOfScales = channelsOfScales
      self.maxBlocks = maxBlocks
      self.maxNodes = maxNodes
      self.blocksTimes = blocksTimes
      self.learnsResidual = learnsResidual
      self.conditions = conditions
      self.initialImage = initialImage
      self.leaksChoice = leaksChoice
    }

    func layer(_ level: PyramidLevel) -> DiscreteDistributionLayer.Configuration {
      .init(
        nodes: level.nodes, imageChannels: imageChannels, featureChannels: level.channels,
        leaksChoice: leaksChoice ?? true, learnsResidual: learnsResidual)
    }
  }

  /// The modules of one level.
  final class Level: Module {
    let block: ResidualBlock
    let layer: DiscreteDistributionLayer

    init(_ level: PyramidLevel, _ configuration: Configuration, generator: Generator) throws(TorchError) {
      block = try ResidualBlock(
        level.inputChannels, level.channels, doublesResolution: level.isUp, generator: generator)
      layer = try DiscreteDistributionLayer(configuration.layer(level), generator: generator)
    }
  }

  public let configuration: Configuration
  public let codeSpace: CodeSpace
  let levels: [Level]
  private let plan: [PyramidLevel]
  /// `[C, side, side]`, the input of the first level.
  private let initialFeature: [Float]

  /// A network with fresh weights drawn from the generator.
  public init(_ configuration: Configuration, generator: Generator) throws(TorchError) {
    self.configuration = configuration
    codeSpace = configuration.codeSpace
    plan = configuration.levels
    var levels: [Level] = []
    for level in plan { levels.append(try Level(level, configuration, generator: generator)) }
    self.levels = levels
    let channels = plan[0].inputChannels
    var feature = PositionalFeatures.initialFeature(channels: channels, height: plan[0].side, width: plan[0].side)
    configuration.initialImage?.add(to: &feature, featureChannels: channels)
    initialFeature = feature
  }

  public var imageShape: [Int] { configuration.imageShape }
  public var conditions: [ConditionKind] { configuration.conditions }
  public var device: Device { levels[0].layer.weight.tensor.device }

  /// The run's condition holds the features of each kind.
  public func begin(samples: Int, condition: Condition) throws -> NetworkRun {
    let (paths, condition) = try ConditionFeatures.begin(
      conditions, of: condition, samples: samples, imageShape: imageShape, device: device)
    let shape = [plan[0].inputChannels, plan[0].side, plan[0].side]
    let features = try Tensor(initialFeature, shape: [1] + shape).to(device).expanded([paths.rows] + shape)
    return NetworkRun(self, paths: paths, features: features, condition: condition.parts)
  }

  public func features(of run: NetworkRun) throws -> Tensor {
    let level = plan[run.level]
    var additions: [ChannelAddition] = []
    if let images = run.chosen { additions.append(ChannelAddition(images, at: 0)) }
    if let leakedChoice = run.leakedChoice {
      additions.append(ChannelAddition(leakedChoice, at: level.inputChannels - configuration.imageChannels))
    }
    let condition = ConditionFeatures(parts: run.condition)
    if level.takesCondition, condition.channels > 0 {
      let middle = level.inputChannels / 2 - condition.channels / 2
      additions.append(ChannelAddition(try condition.resized(side: level.inputSide), at: middle))
    }
    return try levels[run.level].block(
      run.features, adding: additions.isEmpty ? nil : ChannelAddition(additions))
  }

  public func layer(at level: Int) -> DiscreteDistributionLayer { levels[level].layer }
}

extension PyramidNetwork.Configuration: NetworkArchitecture {
  public static var kind: String { "pyramid" }
  public static var noun: String { "pyramid" }

  public func validate() throws(ConfigurationError) {
    if let error = validationError ?? conditionError { throw ConfigurationError(error) }
  }

  public var codeSpace: CodeSpace { CodeSpace(levels.map { .init(nodes: $0.nodes, side: $0.side) }) }
  public var imageShape: [Int] { [imageChannels, resolution, resolution] }
  /// Exactly the parameter count.
  public var parameterLowerBound: Int { levels.reduce(0) { $0 + $1.parameterCount } }
  public var multiplyAdds: Int? { levels.reduce(0) { $0 + $1.multiplyAdds } }
  /// As in the original program. It matters only relative to Adam's epsilon, beside which a pyramid's mean-loss
  /// gradients are small.
  public var lossScale: Double { Double(imageChannels * resolution * resolution) }
  /// Readers of version 1 overlook an initial image, those of versions up to 5 that there is no leaked choice.
  public var formatVersion: Int { leaksChoice == false ? 6 : initialImage == nil ? 1 : 2 }

  /// Compares levels, because different rules can give the same levels.
  public func weightDifference(from other: Self) -> String? {
    if let difference = difference("image channels", imageChannels, other.imageChannels)
      ?? difference("resolution", resolution, other.resolution)
      ?? difference("learned residuals", learnsResidual, other.learnsResidual)
      ?? difference("leaked choice", leaksChoice ?? true, other.leaksChoice ?? true)
      ?? difference("initial image", initialImage?.rawValue ?? "zeros", other.initialImage?.rawValue ?? "zeros")
    {
      return difference
    }
    for (level, (mine, theirs)) in zip(levels, other.levels).enumerated() where mine != theirs {
      return "its level \(level + 1) is \(theirs.summary), not \(mine.summary)"
    }
    return difference("levels", levels.count, other.levels.count)
  }

  public func makeNetwork(generator: Generator) throws(TorchError) -> any DiscreteDistributionNetwork {
    try PyramidNetwork(self, generator: generator)
  }

  /// The first error, except those of conditions.
  private var validationError: String? {
    func isPower(_ side: Int) -> Bool { side > 0 && side & (side - 1) == 0 }
    if !isPower(resolution) || resolution > 4096 {
      return "a resolution of \(resolution) is not a power of 2 up to 4096"
    }
    if !isPower(startSide) || startSide > resolution {
      return "a start side of \(startSide) is not a power of 2 up to the resolution, \(resolution)"
    }
    if imageChannels != 1 && imageChannels != 3 { return "images have 1 or 3 channels, not \(imageChannels)" }
    if let initialImage, imageChannels != 3 {
      return "the initial image \(initialImage.rawValue) is for images of 3 channels, not \(imageChannels)"
    }
    if !(1...1 << 24).contains(channelBase) { return "a channel base of \(channelBase) is not within 1...\(1 << 24)" }
    if !(1...64).contains(maxBlocks) { return "\(maxBlocks) levels of one side are not within 1...64" }
    if !(2...4096).contains(maxNodes) { return "\(maxNodes) nodes a level are not within 2...4096" }
    if !(blocksTimes > 0 && blocksTimes <= 64) { return "levels times \(blocksTimes) is not above 0 and up to 64" }
    let scales = sides.count
    if let channelsOfScales, channelsOfScales.count != scales {
      return "channels are given for \(channelsOfScales.count) sides, but there are \(scales) sides"
    }
    if let channels = channelsOfScales?.first(where: { !(4...4096).contains($0) }) {
      return "\(channels) channels are not within 4...4096"
    }
    if !(1...4096).contains(channelMinimum) || !(channelMinimum...4096).contains(channelMaximum) {
      return "channels from \(channelMinimum) to \(channelMaximum) are not within 1...4096"
    }
    if sides.reduce(0, { $0 + blocks(side: $1) }) > 4096 { return "there are more than 4096 levels" }
    for level in unvalidatedLevels where level.place == 0 {
      let channels = level.channels
      if !(4...4096).contains(channels) { return "\(channels) channels at side \(level.side) are not within 4...4096" }
      if channels % 2 != 0 || channels % ResidualBlock.groups(channels: channels) != 0 {
        return "\(channels) channels at side \(level.side) are odd or do not divide into groups; multiples of 4 do"
      }
    }
    return nil
  }

  private var conditionError: String? {
    if conditions.count > 8 { return "\(conditions.count) conditions are more than 8" }
    if conditions.filter({ !$0.needsImages }).count > 1 { return "there is more than one condition on a class" }
    if let error = conditions.lazy.compactMap({ $0.validationError(resolution: resolution) }).first { return error }
    let needed = conditions.reduce(0) { $0 + $1.channels(imageChannels: imageChannels) }
    let channels = unvalidatedLevels.filter(\.takesCondition).map(\.inputChannels).min()!
    return needed > channels ? "conditions of \(needed) channels do not fit into features of \(channels)" : nil
  }
}
