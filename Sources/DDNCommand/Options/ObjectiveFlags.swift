import ArgumentParser
import DDN
import DDNClassifiers
import DDNTraining
import Torch

/// The options of `ddn train` that change the loss or the choice of nodes.
struct ObjectiveFlags: ParsableArguments {
  @Option(
    help: """
      Pixel loss: squared (L2), absolute (L1), or psnr, the logarithm of the squared one, for the best mean PSNR. \
      (default: \(TrainingDefaults.loss.rawValue))
      """)
  var loss: PixelLoss?

  @Option(
    parsing: .unconditional,
    help: """
      Let all nodes learn, near ones more: T, in units of the least distance, is the first temperature of a soft \
      minimum, which falls to 0 in the first half of the run. (default: 0)
      """,
    transform: number(to: 1e6))
  var softMin: Double?

  @Option(
    parsing: .unconditional,
    help: """
      Weight of an energy score of each level's images beside the pixel loss, so that random choices resemble the data. \
      (default: 0)
      """,
    transform: number(to: 1e6))
  var energy: Double?

  @Option(
    help: .init(
      "Add a distance in a classifier's features at the last level, against blur: its name or file.",
      valueName: "classifier"))
  var perceptual: String?

  @Option(
    parsing: .unconditional, help: "Weight of --perceptual beside the pixel loss. (default: \(Self.defaultWeight))",
    transform: number(to: 1e6, isOpen: true))
  var perceptualWeight: Double?

  @Option(
    help: .init(
      """
      Add a distance of images of random codes to the data, and of each class's to its class, in a classifier's \
      features: its name or file.
      """, valueName: "classifier"))
  var sampleDistance: String?

  @Option(
    parsing: .unconditional,
    help: "Weight of --sample-distance beside the pixel loss. (default: \(Self.defaultSampleWeight))",
    transform: number(to: 1e6, isOpen: true))
  var sampleDistanceWeight: Double?

  @Option(
    parsing: .unconditional,
    help: """
      Weight of a discriminator's gradient at the last level, in units of its pixel loss's, against blur. (default: 0)
      """,
    transform: number(to: 1e6))
  var adversarial: Double?

  @Option(
    parsing: .unconditional,
    help: """
      Add a bias to the distances of nodes used more than others, when choosing in training: B, in units of the least \
      distance, for a node used twice as often as the mean. With --split none, instead of Split-and-Prune. (default: 0)
      """,
    transform: number(to: 1e6))
  var balance: Double?

  @Option(
    parsing: .unconditional,
    help: "The weight of the last level's loss in units of the first one's, linear between. (default: 1)",
    transform: number(to: 1e6, isOpen: true))
  var lastLevelWeight: Double?

  @Option(
    parsing: .unconditional,
    help: """
      Adam's decay of squared gradients. (default: \(TrainingDefaults.secondMomentDecay); dense: \
      \(TrainingDefaults.dense.secondMomentDecay))
      """,
    transform: number(to: 1))
  var beta2: Double?

  @Option(
    parsing: .unconditional,
    help: "Added by Adam to the root of squared gradients. (default: \(plain(TrainingDefaults.adamEpsilon)))",
    transform: number(to: 1, isOpen: true))
  var adamEpsilon: Double?

  @Option(
    help: """
      Dense: initial nodes, random or kmeans: the centres of what the levels before leave of the training images, for \
      narrow networks and short trainings. (default: random)
      """)
  var initialNodes: InitialNodes?

  static let defaultWeight = 0.1
  static let defaultSampleWeight = 0.05

  func validate() throws {
    if perceptualWeight != nil, perceptual == nil {
      throw ValidationError("--perceptual-weight is for --perceptual; add it, or leave both out")
    }
    if sampleDistanceWeight != nil, sampleDistance == nil {
      throw ValidationError("--sample-distance-weight is for --sample-distance; add it, or leave both out")
    }
  }

  /// Puts the options but `beta2` and `initialNodes` into those of a run.
  func apply(to options: inout TrainingOptions) {
    func positive(_ weight: Double?) -> Double? { weight == 0 ? nil : weight }
    options.loss = loss
    options.softMinimum = positive(softMin)
    options.energyWeight = positive(energy)
    options.featureTerm = perceptual.map {
      .init(classifier: $0, weight: perceptualWeight ?? Self.defaultWeight)
    }
    options.sampleTerm = sampleDistance.map {
      .init(classifier: $0, weight: sampleDistanceWeight ?? Self.defaultSampleWeight)
    }
    options.discriminatorWeight = positive(adversarial)
    options.balance = positive(balance)
    options.lastLevelWeight = lastLevelWeight
    options.adamEpsilon = adamEpsilon
  }

  /// Names of the given options that a resumed run cannot change.
  var givenNames: [String] {
    named([
      ("--loss", loss != nil), ("--soft-min", softMin != nil), ("--energy", energy != nil),
      ("--perceptual", perceptual != nil), ("--perceptual-weight", perceptualWeight != nil),
      ("--sample-distance", sampleDistance != nil), ("--sample-distance-weight", sampleDistanceWeight != nil),
      ("--adversarial", adversarial != nil), ("--balance", balance != nil),
      ("--last-level-weight", lastLevelWeight != nil), ("--beta2", beta2 != nil),
      ("--adam-epsilon", adamEpsilon != nil), ("--initial-nodes", initialNodes != nil),
    ])
  }
}

extension InitialNodes: ExpressibleByArgument {}

extension TrainingOptions {
  /// The options' loss, with the classifiers that it names.
  ///
  /// - Throws: `FileError` when a classifier is missing or damaged; `TorchError`.
  func loadObjective(on device: Device) throws -> any Objective {
    func classifier(_ term: FeatureTerm?) throws -> ResidualClassifier? {
      try term.map { try ResidualClassifier(contentsOf: ResidualClassifier.url(of: $0.classifier), device: device) }
    }
    return try objective(
      on: device, featureMaps: classifier(featureTerm).map { $0.featureMaps },
      sampleFeatures: classifier(sampleTerm).map { $0.differentiableFeatures })
  }
}
