import Torch

/// The Single Shot Generator: a pyramid of residual blocks from few pixels to many, with a layer of nodes after each.
///
/// Every level has weights of its own. With the default configuration it makes 32x32 colour images in 63 levels of 64
/// nodes, 378 bits, with 76,291,840 parameters, as the original does for CIFAR-10.
/// Source: paper, section 3.1 (Single Shot Generator, Figure 3b) and section 3.4.
public final class PyramidNetwork: Module, DiscreteDistributionNetwork {
  public struct Configuration: Codable, Sendable, Equatable {
    /// Pixels on a side of the images, a power of two.
    public var resolution: Int
    /// Channels of the images: 1 or 3.
    public var imageChannels: Int
    /// Pixels on a side at the first level, a power of two.
    public var startSide: Int
    /// Features have `channelBase / side` channels, within `channelMinimum` and `channelMaximum`.
    public var channelBase: Int
    public var channelMinimum: Int
    public var channelMaximum: Int
    /// Channels at every side from `startSide` on, in place of the rule; nil for the rule.
    public var channelsOfScales: [Int]?
    /// Most levels at one side, before `blocksTimes`.
    public var maxBlocks: Int
    /// Most nodes at a level.
    public var maxNodes: Int
    /// The number of levels at every side is multiplied by this and rounded; a single pixel keeps its one level.
    public var blocksTimes: Double
    /// Whether nodes add to the previous level's image instead of making a whole one.
    public var learnsResidual: Bool
    /// What the network is told of an image.
    public var conditions: [ConditionKind]
    /// What the first level reads as the previous image; nil for zeros. Only for images of 3 channels.
    public var initialImage: InitialImage?

    public init(
      resolution: Int = 32, imageChannels: Int = 3, startSide: Int = 1, channelBase: Int = 8192,
      channelMinimum: Int = 4, channelMaximum: Int = 256, channelsOfScales: [Int]? = nil, maxBlocks: Int = 64,
      maxNodes: Int = 64, blocksTimes: Double = 1, learnsResidual: Bool = true, conditions: [ConditionKind] = [],
      initialImage: InitialImage? = nil
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
    }

    func layer(_ level: PyramidLevel) -> DiscreteDistributionLayer.Configuration {
      .init(
        nodes: level.nodes, imageChannels: imageChannels, featureChannels: level.channels, leaksChoice: true,
        learnsResidual: learnsResidual)
    }
  }

  /// What one level owns.
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
  let levels: [Level]
  private let plan: [PyramidLevel]
  /// `[C, side, side]` of the first level, which reads no image.
  private lazy var initialFeature: [Float] = {
    let channels = plan[0].inputChannels
    var feature = PositionalFeatures.initialFeature(channels: channels, height: plan[0].side, width: plan[0].side)
    configuration.initialImage?.add(to: &feature, featureChannels: channels)
    return feature
  }()

  /// A network with fresh weights; the generator decides them.
  public init(_ configuration: Configuration, generator: Generator) throws(TorchError) {
    self.configuration = configuration
    plan = configuration.levels
    var levels: [Level] = []
    for level in plan { levels.append(try Level(level, configuration, generator: generator)) }
    self.levels = levels
  }

  public var nodesOfLevels: [Int] { plan.map(\.nodes) }
  public var imageShape: [Int] { [configuration.imageChannels, configuration.resolution, configuration.resolution] }
  public var conditions: [ConditionKind] { configuration.conditions }
  public var device: Device { levels[0].layer.weight.tensor.device }

  @discardableResult
  public func run(
    samples: Int, condition: Condition, chooser: any Chooser, observe: (LevelOutput) throws -> Void
  ) throws -> LevelOutput {
    var (paths, told) = try ConditionFeatures.start(
      conditions, of: condition, samples: samples, imageShape: imageShape, device: device)
    let start = [plan[0].inputChannels, plan[0].side, plan[0].side]
    var features = try Tensor(initialFeature, shape: [1] + start).to(device).expanded([paths.rows] + start)
    var output: LevelOutput!
    for (number, level) in plan.enumerated() {
      var additions: [ChannelAddition] = []
      if let output {
        told = try told.inherited(by: output.parentOfRow)
        additions = [
          ChannelAddition(output.images, at: 0),
          ChannelAddition(output.leak!, at: level.inputChannels - configuration.imageChannels),
        ]
      }
      if level.takesCondition, told.channels > 0 {
        let middle = level.inputChannels / 2 - told.channels / 2
        additions.append(ChannelAddition(try told.resized(side: level.inputSide), at: middle))
      }
      features = try levels[number].block(features, adding: additions.isEmpty ? nil : ChannelAddition(additions))
      output = try levels[number].layer(
        level: number, features: features, previous: output?.images, paths: paths, chooser: chooser)
      try observe(output)
      (paths, features) = (output.paths, output.features)
    }
    return output
  }
}

extension PyramidNetwork.Configuration {
  /// What makes this configuration impossible, if anything.
  public var objection: String? {
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
      return "channels of \(channelsOfScales.count) sides are given, and there are \(scales) sides"
    }
    if let channels = channelsOfScales?.first(where: { !(4...4096).contains($0) }) {
      return "\(channels) channels are not within 4...4096"
    }
    if !(1...4096).contains(channelMinimum) || !(channelMinimum...4096).contains(channelMaximum) {
      return "channels from \(channelMinimum) to \(channelMaximum) are not within 1...4096"
    }
    if sides.reduce(0, { $0 + blocks(side: $1) }) > 4096 { return "there are more than 4096 levels" }
    for level in unchecked where level.place == 0 {
      let channels = level.channels
      if !(4...4096).contains(channels) { return "\(channels) channels at side \(level.side) are not within 4...4096" }
      if channels % 2 != 0 || channels % ResidualBlock.groups(channels: channels) != 0 {
        return "\(channels) channels at side \(level.side) are odd or do not divide into groups; multiples of 4 do"
      }
    }
    return conditionObjection
  }

  private var conditionObjection: String? {
    if conditions.count > 8 { return "\(conditions.count) conditions are more than 8" }
    if conditions.filter({ !$0.needsImages }).count > 1 { return "there is more than one condition on a class" }
    if let objection = conditions.lazy.compactMap({ $0.objection(resolution: resolution) }).first { return objection }
    let taken = conditions.reduce(0) { $0 + $1.channels(imageChannels: imageChannels) }
    let channels = unchecked.filter(\.takesCondition).map(\.inputChannels).min()!
    return taken > channels ? "conditions of \(taken) channels do not fit into features of \(channels)" : nil
  }

  /// A number that the parameters are not fewer than: how many there are.
  var fewestParameters: Int { levels.reduce(0) { $0 + $1.parameterCount } }
}
