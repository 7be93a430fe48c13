import Torch

/// Dense levels over principal components of the training images.
///
/// A level maps the coefficients of the image so far to features, of which each node is a linear combination, added to
/// the image: a residual quantizer whose codebook is computed for every path. There are no convolutions: for images of a
/// kind, such as digits or faces, at a few hundred bits, this is far cheaper than they are and nearer to the target
/// (Documentation/Experiments.md).
///
/// Source: this project's. The layer and the training are the paper's; codebooks computed from the partial
/// reconstruction: Huijben et al., Residual Quantization with Implicit Neural Codebooks (2024).
public final class DenseNetwork: Module, DiscreteDistributionNetwork, FittedNetwork {
  public struct Configuration: Codable, Sendable, Equatable {
    /// `[C, H, W]`, square.
    public var imageShape: [Int]
    /// P, principal components.
    public var components: Int
    /// K of every level.
    public var nodes: Int
    /// L.
    public var levels: Int
    /// H, the hidden numbers of a path.
    public var width: Int
    /// Residual blocks of every level.
    public var blocks: Int
    /// F, the features that a node reads.
    public var nodeFeatures: Int
    /// Every level's features lie in a space of so many dimensions, in 1...P.
    public var rank: Int
    /// Whether all levels share their weights, except for one shift per level.
    public var sharesLevels: Bool
    /// Classes that the network is conditioned on; 0 for none.
    public var classes: Int
    /// What is chosen from the features of one pass; nil for one node.
    public var choices: Choices?
    /// Q, learned factors of every node's image, of which one is chosen with it: K is the number of both's pairs. Nil
    /// for 1; with more there is no Split-and-Prune.
    public var gains: Int?
    /// An autoencoder of the components: levels compute its latents. Nil for the components themselves.
    public var latents: LatentAutoencoder.Configuration?

    /// Several choices from the features of one pass. Each is a level, with its own nodes.
    public enum Choices: Codable, Sendable, Equatable {
      /// So many nodes, one after the other, whose images add up.
      case sum(Int)
      /// A node for each of so many squares on a side, whose components are those of the square alone.
      case patches(side: Int)

      /// Per pass.
      public var count: Int {
        switch self {
        case .sum(let count): count
        case .patches(let side): side * side
        }
      }
    }

    public init(
      imageShape: [Int], components: Int = 128, nodes: Int = 64, levels: Int = 10, width: Int = 96, blocks: Int = 1,
      nodeFeatures: Int = 8, rank: Int = 64, sharesLevels: Bool = false, classes: Int = 0, choices: Choices? = nil,
      gains: Int? = nil, latents: LatentAutoencoder.Configuration? = nil
    ) {
      self.imageShape = imageShape
      self.components = components
      self.nodes = nodes
      self.levels = levels
      self.width = width
      self.blocks = blocks
      self.nodeFeatures = nodeFeatures
      self.rank = rank
      self.sharesLevels = sharesLevels
      self.classes = classes
      self.choices = choices
      self.gains = gains
      self.latents = latents
    }

    /// The numbers that levels read and compute.
    var coordinates: Int { latents?.count ?? components }
    /// Choices from the features of one pass.
    var choicesPerPass: Int { choices?.count ?? 1 }
    /// Passes through the network.
    var passes: Int { levels / choicesPerPass }
    /// Squares on a side that have separate components.
    var patchSide: Int { if case .patches(let side) = choices { side } else { 1 } }

    var layer: DiscreteDistributionLayer.Configuration {
      .init(
        nodes: nodes, imageChannels: 1, featureChannels: nodeFeatures, leaksChoice: false, learnsResidual: true,
        gains: gains ?? 1)
    }
  }

  /// The modules of a pass: of a level, or of several with one set of features.
  final class Pass: Module {
    let input: Linear
    let blocks: [DenseBlock]
    let norm: LayerNorm
    let output: Linear
    /// `[rank, P]`; nil when the rank is P.
    let basis: Parameter?
    let layer: DiscreteDistributionLayer
    /// Of the pass's other choices.
    let others: [DiscreteDistributionLayer]

    private let shape: [Int]  // F, rank

    init(_ configuration: Configuration, generator: Generator) throws(TorchError) {
      let (width, rank) = (configuration.width, configuration.rank)
      func normal(_ shape: [Int], _ deviation: Double) throws(TorchError) -> Tensor {
        try .normal(shape, generator: generator) * deviation
      }
      shape = [configuration.nodeFeatures, rank]
      input = try Linear(configuration.coordinates, width, generator: generator)
      var blocks: [DenseBlock] = []
      for _ in 0..<configuration.blocks { blocks.append(try DenseBlock(width, generator: generator)) }
      self.blocks = blocks
      norm = try LayerNorm([width])
      // Features that differ from the start, for any path.
      output = try Linear(
        weight: normal([shape[0] * rank, width], 0.3 / Double(width).squareRoot()), bias: normal([shape[0] * rank], 0.3)
      )
      basis =
        rank == configuration.coordinates
        ? nil : try Parameter(normal([rank, configuration.coordinates], 1 / Double(rank).squareRoot()))
      layer = try DiscreteDistributionLayer(configuration.layer, generator: generator)
      var others: [DiscreteDistributionLayer] = []
      for _ in 1..<configuration.choicesPerPass {
        others.append(try DiscreteDistributionLayer(configuration.layer, generator: generator))
      }
      self.others = others
    }

    /// - Parameters:
    ///   - image: `[R, P]`, coefficients of the image so far.
    ///   - shift: `[R, H]` or `[H]`, of the level and the class.
    /// - Returns: `[R, F, 1, P]`, or `[R, F, 1, rank]` in the basis.
    func callAsFunction(image: Tensor, shift: Tensor) throws(TorchError) -> Tensor {
      var hidden = try input(image, in: mode) + shift  // [R, H]
      for block in blocks { hidden = try block(hidden) }
      return try output(norm(hidden), in: mode).reshaped([image.shape[0], shape[0], 1, shape[1]])
    }
  }

  public let configuration: Configuration
  public let codeSpace: CodeSpace
  let principal: PrincipalComponents
  /// `[L, H]`.
  let levelShifts: Parameter
  /// `[classes, H]`; nil without classes.
  let classShifts: Parameter?
  /// The modules of every pass, or of all if they are shared; named so in files, where a pass is mostly a level.
  let levels: [Pass]
  /// `[1, 1, 1, P]` for each patch, 1 for its components; empty without patches.
  private var masks: [Tensor]

  /// A network with fresh weights drawn from the generator; its components are zero until `fit`.
  public init(_ configuration: Configuration, generator: Generator) throws(TorchError) {
    configuration.requireValid()
    self.configuration = configuration
    codeSpace = configuration.codeSpace
    principal = try PrincipalComponents(
      count: configuration.components, imageShape: configuration.imageShape, patchSide: configuration.patchSide,
      autoencoder: configuration.latents.map { (latents) throws(TorchError) in
        try LatentAutoencoder(latents, components: configuration.components, generator: generator)
      })
    masks = try principal.patchMasks()
    levelShifts = try Parameter(.normal([configuration.passes, configuration.width], generator: generator))
    classShifts =
      configuration.classes == 0
      ? nil : try Parameter(.normal([configuration.classes, configuration.width], generator: generator))
    var levels: [Pass] = []
    for _ in 0..<(configuration.sharesLevels ? 1 : configuration.passes) {
      levels.append(try Pass(configuration, generator: generator))
    }
    self.levels = levels
  }

  public var imageShape: [Int] { configuration.imageShape }
  public var conditions: [ConditionKind] { configuration.conditions }
  public var components: PrincipalComponents? { principal }
  public var device: Device { levelShifts.tensor.device }

  public func fit(
    to images: any EncodingSource, nodes: InitialNodes, progress: (Double) throws -> Void
  ) throws {
    let share = nodes == .random ? 1 : 0.7
    try principal.fit(to: images) { try progress(share * $0) }
    if nodes == .kmeans { try fitNodes(to: images) { try progress(share + (1 - share) * $0) } }
  }

  /// The run's condition holds each row's class, `[R]`, if any; its features are unused at level 0.
  public func begin(samples: Int, condition: Condition) throws -> NetworkRun {
    var paths = try SharedPaths(samples: samples, device: device)
    var classOfRow: [Tensor] = []
    if classShifts != nil {
      guard let classes = condition.classes else { throw ConditionError("this model needs a class") }
      let branching = try paths.branching(at: classes, nodes: configuration.classes)
      (paths, classOfRow) = (branching.paths, [branching.codeOfRow])
    } else if condition.classes != nil {
      throw ConditionError("this model has no classes")
    }
    let features = try Tensor.zeros([paths.rows, configuration.nodeFeatures, 1, 1], device: device)
    return NetworkRun(self, paths: paths, features: features, condition: classOfRow)
  }

  public func features(of run: NetworkRun) throws -> Tensor {
    let (pass, choice) = run.level.quotientAndRemainder(dividingBy: configuration.choicesPerPass)
    if choice > 0 { return try run.features }
    let image =
      try run.chosen?.reshaped([run.paths.rows, principal.count])
      ?? .zeros([run.paths.rows, principal.count], device: device)
    var shift = try levelShifts.tensor.select(0, pass)  // [H]
    if let classShifts, let classOfRow = run.condition.first {
      shift = try classShifts.tensor.gathered(classOfRow) + shift  // [R, H]
    }
    return try self.pass(pass)(image: image, shift: shift)
  }

  public func basis(at level: Int) -> FeatureBasis? {
    let modules = pass(ofLevel: level)
    return modules.basis.map { FeatureBasis(rows: $0.tensor, mode: modules.mode) }
  }

  public func visibleFeatures(at level: Int) throws -> Tensor? {
    guard !masks.isEmpty else { return nil }
    if masks[0].device != device { masks = try masks.map { try $0.to(device) } }
    return masks[level % masks.count]
  }

  public func layer(at level: Int) -> DiscreteDistributionLayer {
    let (modules, choice) = (pass(ofLevel: level), level % configuration.choicesPerPass)
    return choice == 0 ? modules.layer : modules.others[choice - 1]
  }

  private func pass(ofLevel level: Int) -> Pass { pass(level / configuration.choicesPerPass) }

  private func pass(_ number: Int) -> Pass { levels[configuration.sharesLevels ? 0 : number] }
}

/// `x + second(silu(first(norm(x))))`, of twice the width inside.
final class DenseBlock: Module {
  let norm: LayerNorm
  let first: Linear
  let second: Linear

  /// The identity at first.
  init(_ width: Int, generator: Generator) throws(TorchError) {
    norm = try LayerNorm([width])
    first = try Linear(width, 2 * width, generator: generator)
    second = try Linear(weight: .zeros([width, 2 * width]), bias: .zeros([width]))
  }

  /// `[R, H]` to `[R, H]`.
  func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    let inner = try first(norm(input), in: mode).silu()
    return try input + second(inner, in: mode)
  }
}
