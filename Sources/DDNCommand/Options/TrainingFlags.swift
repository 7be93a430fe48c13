import ArgumentParser
import DDN
import DDNData
import DDNTraining

private let recurrent = RecurrentNetwork.Configuration()
private typealias Defaults = TrainingDefaults

/// The network options of `ddn train`.
struct NetworkShape: ParsableArguments {
  enum Architecture: String, ExpressibleByArgument, CaseIterable {
    case recurrent
    case pyramid
    case dense
  }

  @Option(
    help:
      "recurrent: one small network for all levels; pyramid: levels of increasing resolution; dense: no convolutions, for images of a kind at few bits. (default: by the images)"
  )
  var arch: Architecture?

  @Option(
    help: """
      original: the defaults of the original program for such images, but for options that are given: width \
      \(Defaults.originalWidth), batch \(Defaults.originalRecurrent.batch) and \
      \(Defaults.originalRecurrent.images / 1_000_000) million images for digits; a pyramid of at most 8 levels a \
      resolution and 8 nodes, batch \(Defaults.originalPyramid.batch) and \
      \(Defaults.originalPyramid.images / 1_000_000) million images for others.
      """)
  var preset: Preset?

  enum Preset: String, ExpressibleByArgument, CaseIterable {
    case original
  }

  @Flag(help: "Condition the network on classes.")
  var cond = false

  @Option(
    help: .init(
      "Condition the pyramid on images: color (gray), edge, resizeN (N pixels on a side), separated by commas.",
      valueName: "kind,kind"))
  var condition: String?

  @Flag(
    inversion: .prefixedNo,
    help: "Learn residuals to the previous level's image. (default: for a pyramid)")
  var learnRes: Bool?

  @Flag(
    inversion: .prefixedNo,
    help: "Recurrent, pyramid: the chosen node gives the next level a hint (Leak Choice). (default: yes)")
  var leakChoice: Bool?

  @Option(
    parsing: .unconditional, help: "Recurrent, dense: K, nodes per level. (default: \(recurrent.nodes))",
    transform: wholeNumber(in: 2...4096))
  var nodes: Int?

  @Option(
    parsing: .unconditional, help: "Recurrent, dense: L, number of levels. (default: \(recurrent.levels))",
    transform: wholeNumber(in: 1...1024))
  var levels: Int?

  @Option(
    parsing: .unconditional,
    help: """
      Recurrent: channels at full resolution; even. 8 gives 407,311 parameters with 64 nodes. (default: \
      \(recurrent.baseWidth)) Dense: hidden numbers. (default: \(denseDefaults.width))
      """,
    transform: wholeNumber(in: 1...8192))
  var width: Int?

  @Option(
    parsing: .unconditional,
    help: """
      Recurrent, dense: F, the features that a node reads. (default: recurrent: half the width, else by a 1x1 \
      convolution; dense: \(denseDefaults.nodeFeatures))
      """,
    transform: wholeNumber(in: 1...1024))
  var nodeFeatures: Int?

  @Flag(help: "Recurrent: layer norms scale channels, not every pixel as the original's do: far fewer parameters.")
  var normsByChannel = false

  @OptionGroup(title: "Levels of a pyramid") var rules: PyramidRules
  @OptionGroup(title: "Levels of a dense network") var dense: DenseRules

  /// The network for images, by default of the architecture for their shape.
  ///
  /// - Throws: `UsageError` for options of the other architecture; `ConfigurationError` for an invalid network.
  func configuration(for images: ImageDataset) throws -> NetworkConfiguration {
    let suited = NetworkConfiguration.suited(toImagesOf: images.imageShape)
    let isRecurrent = suited == RecurrentNetwork.Configuration.self && rules.givenNames.isEmpty && condition == nil
    let byOptions: Architecture = isRecurrent || !ofRecurrent.isEmpty || !shared.isEmpty ? .recurrent : .pyramid
    let arch = arch ?? (dense.givenNames.isEmpty ? byOptions : .dense)
    if let (name, owner) = names(notOf: arch).first {
      throw UsageError("\(name) is for --arch \(owner), but the network is \(arch); remove it or change --arch")
    }
    if preset == .original, arch == .dense {
      throw UsageError(
        "--preset original is for a recurrent network or a pyramid, but the network is dense; remove one")
    }
    switch arch {
    case .recurrent:
      return .recurrent(
        .init(
          baseWidth: width ?? (preset == .original ? Defaults.originalWidth : recurrent.baseWidth),
          nodes: nodes ?? recurrent.nodes,
          repeats: levels ?? recurrent.repeats, leaksChoice: leakChoice ?? recurrent.leaksChoice,
          learnsResidual: learnRes ?? recurrent.learnsResidual,
          isClassConditional: cond,
          nodeFeatures: nodeFeatures, normsByChannel: normsByChannel ? true : nil))
    case .dense:
      return NetworkConfiguration(
        dense.configuration(self, imageShape: images.imageShape, classes: try conditions(for: images).classes))
    case .pyramid:
      return .pyramid(
        try (preset == .original ? rules.orOriginal() : rules).configuration(
          resolution: images.side, imageChannels: images.channels, learnsResidual: learnRes,
          leaksChoice: leakChoice, conditions: conditions(for: images)))
    }
  }

  private var ofRecurrent: [String] { named([("--norms-by-channel", normsByChannel)]) }

  /// Options of recurrent and dense networks.
  private var shared: [String] {
    named([
      ("--nodes", nodes != nil), ("--levels", levels != nil), ("--width", width != nil),
      ("--node-features", nodeFeatures != nil),
    ])
  }

  /// The given options of other architectures, with an architecture that has them.
  private func names(notOf arch: Architecture) -> [(name: String, owner: Architecture)] {
    let ofPyramid = rules.givenNames + named([("--condition", condition != nil)])
    let ofConvolutions = named([("--learn-res", learnRes != nil), ("--leak-choice", leakChoice != nil)])
    let owners: [(names: [String], owners: [Architecture])] = [
      (ofPyramid, [.pyramid]), (ofRecurrent, [.recurrent]), (dense.givenNames, [.dense]),
      (shared, [.recurrent, .dense]), (ofConvolutions, [.recurrent, .pyramid]),
    ]
    return owners.filter { !$0.owners.contains(arch) }.flatMap { group in group.names.map { ($0, group.owners[0]) } }
  }

  private func conditions(for images: ImageDataset) throws -> [ConditionKind] {
    var kinds: [ConditionKind] = []
    if cond {
      guard images.classes >= 2 else {
        throw UsageError(
          "--cond: the images have \(images.classes) classes; leave it out, or choose images with classes")
      }
      kinds.append(.classNumber(of: images.classes))
    }
    for text in condition?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
      guard let kind = ConditionKind(String(text)), kind.needsImages else {
        throw UsageError("--condition '\(text)' is not color, edge or resizeN; --cond is for classes")
      }
      kinds.append(kind)
    }
    return kinds
  }

  /// The default options of the training of a network.
  func learning(for network: any NetworkArchitecture) -> TrainingDefaults.Learning {
    switch network {
    case is DenseNetwork.Configuration: Defaults.dense
    case is RecurrentNetwork.Configuration: preset == .original ? Defaults.originalRecurrent : Defaults.learning
    default: preset == .original ? Defaults.originalPyramid : Defaults.learning
    }
  }

  /// Names of the given options.
  var givenNames: [String] {
    named([
      ("--arch", arch != nil), ("--preset", preset != nil), ("--cond", cond), ("--condition", condition != nil),
      ("--learn-res", learnRes != nil), ("--leak-choice", leakChoice != nil),
      ("--nodes", nodes != nil), ("--levels", levels != nil), ("--width", width != nil),
      ("--node-features", nodeFeatures != nil),
      ("--norms-by-channel", normsByChannel),
    ]) + rules.givenNames + dense.givenNames
  }
}

func named(_ options: [(name: String, isGiven: Bool)]) -> [String] { options.filter(\.isGiven).map(\.name) }

extension ChainDropout.Scope: ExpressibleByArgument {}
extension SplitPolicy.Rule: ExpressibleByArgument {}
extension PixelLoss: ExpressibleByArgument {}
extension DigitDataset.Resize: ExpressibleByArgument {}
