import Torch

/// The Recurrence Iteration network: the same small U-Net and the same nodes serve level after level.
///
/// At base width 8 with 64 nodes it has 407,311 parameters and makes 32x32 gray images in [-1, 1].
/// Source: paper, section 3.1 (Recurrence Iteration Paradigm, Figure 3c).
public final class RecurrentNetwork: Module, DiscreteDistributionNetwork {
  public struct Configuration: Codable, Sendable, Equatable {
    /// Channels at full resolution, B; even with leak choice.
    public var baseWidth: Int
    /// K of every level.
    public var nodes: Int
    /// How often each stack runs; levels = stacks * repeats.
    public var repeats: Int
    /// U-Nets with weights of their own, run one after the other.
    public var stacks: Int
    public var leaksChoice: Bool
    public var learnsResidual: Bool
    /// Whether the classes 0...9 are told to the network in training.
    public var isClassConditional: Bool

    public init(
      baseWidth: Int = 8, nodes: Int = 64, repeats: Int = 10, stacks: Int = 1, leaksChoice: Bool = true,
      learnsResidual: Bool = false, isClassConditional: Bool = false
    ) {
      self.baseWidth = baseWidth
      self.nodes = nodes
      self.repeats = repeats
      self.stacks = stacks
      self.leaksChoice = leaksChoice
      self.learnsResidual = learnsResidual
      self.isClassConditional = isClassConditional
    }

    public var levels: Int { stacks * repeats }

    /// What makes this configuration impossible, if anything.
    public var objection: String? {
      if !(1...1024).contains(baseWidth) { return "a base width of \(baseWidth) is not within 1...1024" }
      if leaksChoice && baseWidth % 2 != 0 { return "leak choice needs an even base width, not \(baseWidth)" }
      if !(2...4096).contains(nodes) { return "\(nodes) nodes a level are not within 2...4096" }
      if !(1...1024).contains(repeats) || !(1...64).contains(stacks) {
        return "\(stacks) stacks of \(repeats) levels are not within 1...64 stacks of 1...1024"
      }
      return nil
    }

    /// A number that the parameters are more than: the nodes, and of each U-Net the layer norms at full resolution and
    /// its widest convolution.
    var fewestParameters: Int {
      let norms = 9 * baseWidth * 2 * imageSide * imageSide
      return stacks * (nodes * layer.nodeInputs + norms + 8 * baseWidth * 4 * baseWidth * 9)
    }

    var layer: DiscreteDistributionLayer.Configuration {
      .init(
        nodes: nodes, imageChannels: 1, featureChannels: baseWidth, leaksChoice: leaksChoice,
        learnsResidual: learnsResidual)
    }
  }

  static let imageSide = 32

  public let configuration: Configuration
  let stacks: [RecurrentUNet]

  /// A network with fresh weights; the generator decides them.
  public init(_ configuration: Configuration, generator: Generator) throws(TorchError) {
    if let objection = configuration.objection { preconditionFailure(objection) }
    self.configuration = configuration
    var stacks: [RecurrentUNet] = []
    for _ in 0..<configuration.stacks { stacks.append(try RecurrentUNet(configuration, generator: generator)) }
    self.stacks = stacks
  }

  public var nodesOfLevels: [Int] { Array(repeating: configuration.nodes, count: configuration.levels) }
  public var imageShape: [Int] { [1, Self.imageSide, Self.imageSide] }
  public var device: Device { stacks[0].layer.weight.tensor.device }
  public var conditions: [ConditionKind] {
    configuration.isClassConditional ? [.classNumber(of: RecurrentUNet.classes)] : []
  }

  @discardableResult
  public func run(
    samples: Int, condition: Condition, chooser: any Chooser, observe: (LevelOutput) throws -> Void
  ) throws -> LevelOutput {
    // Before the first choice all images of a class are alike.
    let root = try SharedPaths(samples: samples, device: device)
    let start = try condition.classes.map { try root.branching(at: $0, nodes: RecurrentUNet.classes) }
    var paths = start?.paths ?? root
    var classOfRow = try start?.codeOfRow ?? Tensor.zeros([1], dtype: .int64, device: device)

    let side = Self.imageSide
    var image = try linearEmbedding([1, side, side], rows: paths.rows)
    var features = try linearEmbedding([configuration.baseWidth, side, side], rows: paths.rows)
    var leak = image
    var previous: Tensor?
    var output: LevelOutput!
    let shiftsOfClasses = try stacks.map { try $0.shiftsOfClasses() }
    var shifts = try shiftsOfClasses[0].ofRows(classOfRow)
    for level in 0..<configuration.levels {
      let index = level / configuration.repeats
      let stack = stacks[index]
      if level > 0, start != nil || level % configuration.repeats == 0 {
        shifts = try shiftsOfClasses[index].ofRows(classOfRow)
      }
      features = try stack(image: image, features: features, leak: leak, shifts: shifts)
      output = try stack.layer(level: level, features: features, previous: previous, paths: paths, chooser: chooser)
      try observe(output)
      if start != nil, let parents = output.parentOfRow { classOfRow = try classOfRow.gathered(parents) }
      (paths, image, features, previous) = (output.paths, output.images, output.features, output.images)
      leak = output.leak ?? output.images
    }
    return output
  }

  /// A ramp from -1 to 1 in place of what no level has made yet: `[rows, C, H, W]`.
  private func linearEmbedding(_ shape: [Int], rows: Int) throws(TorchError) -> Tensor {
    try Tensor(PositionalFeatures.linearEmbedding(shape: shape), shape: [1] + shape).to(device)
      .expanded([rows] + shape)
  }
}
