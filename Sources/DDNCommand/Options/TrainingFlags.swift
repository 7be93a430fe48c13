import ArgumentParser
import DDN
import DDNData

/// The options of `ddn train` that describe the network. Each is nil when it was not given.
struct NetworkShape: ParsableArguments {
  /// Which network.
  enum Architecture: String, ExpressibleByArgument, CaseIterable {
    case recurrent
    case pyramid
  }

  @Option(
    help: "recurrent: one small network for all levels; pyramid: from few pixels to many. (default: by the images)")
  var arch: Architecture?

  @Flag(help: "Tell the network each image's class.")
  var cond = false

  @Option(
    help: .init(
      "Tell the pyramid of each image: color (its gray), edge, resizeN (N pixels on a side). Several with commas.",
      valueName: "kind,kind"))
  var condition: String?

  @Flag(
    inversion: .prefixedNo,
    help: "Let nodes add to the last level's image instead of making a whole one. (default: in a pyramid)")
  var learnRes: Bool?

  @Option(
    parsing: .unconditional, help: "Recurrent: K, the images that each level offers. (default: 64)",
    transform: wholeNumber(in: 2...4096))
  var nodes: Int?

  @Option(
    parsing: .unconditional, help: "Recurrent: L, the levels. (default: 10)",
    transform: wholeNumber(in: 1...1024))
  var levels: Int?

  @Option(
    parsing: .unconditional,
    help: "Recurrent: channels at full resolution; even. 8 gives 407,311 parameters with 64 nodes. (default: 8)",
    transform: wholeNumber(in: 1...1024))
  var width: Int?

  /// Of a pyramid.
  @OptionGroup(title: "Levels of a pyramid") var rules: PyramidRules

  /// The network for images of a kind; its own choice is the recurrent one for 32x32 gray, a pyramid for others.
  ///
  /// - Throws: `UsageError` for options of another network, or an impossible one.
  func configuration(for images: ImageDataset) throws -> NetworkConfiguration {
    let ofPyramid = rules.givenNames + (condition == nil ? [] : ["--condition"])
    let ofRecurrent = named([("--nodes", nodes != nil), ("--levels", levels != nil), ("--width", width != nil)])
    let isDigitLike = images.imageShape == [1, 32, 32] && ofPyramid.isEmpty
    switch arch ?? (isDigitLike || !ofRecurrent.isEmpty ? .recurrent : .pyramid) {
    case .recurrent:
      if let name = ofPyramid.first { throw UsageError("\(name) is for --arch pyramid; remove it, or choose that") }
      return .recurrent(
        .init(
          baseWidth: width ?? 8, nodes: nodes ?? 64, repeats: levels ?? 10, learnsResidual: learnRes ?? false,
          isClassConditional: cond))
    case .pyramid:
      if let name = ofRecurrent.first { throw UsageError("\(name) is for --arch recurrent; remove it, or choose that") }
      return .pyramid(
        try rules.configuration(
          resolution: images.side, imageChannels: images.channels, learnsResidual: learnRes ?? true,
          conditions: conditions(for: images)))
    }
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
        throw UsageError("--condition '\(text)' is not color, edge or resizeN; --cond tells classes")
      }
      kinds.append(kind)
    }
    return kinds
  }

  /// The names of the options that were given.
  var givenNames: [String] {
    named([
      ("--arch", arch != nil), ("--cond", cond), ("--condition", condition != nil), ("--learn-res", learnRes != nil),
      ("--nodes", nodes != nil), ("--levels", levels != nil), ("--width", width != nil),
    ]) + rules.givenNames
  }
}

/// The options of `ddn train` that say how to learn. Each is nil when it was not given.
struct LearningOptions: ParsableArguments {
  @Option(
    parsing: .unconditional, help: "Images a step. (default: 128)",
    transform: wholeNumber(in: 1...1_000_000))
  var batch: Int?

  @Option(
    parsing: .unconditional,
    help: "Images in memory at once; a step goes through its batch in such parts. (default: the batch)",
    transform: wholeNumber(in: 1...1_000_000))
  var batchGpu: Int?

  @Option(
    parsing: .unconditional, help: "Adam's learning rate. (default: 0.001)",
    transform: number(isOpen: true))
  var lr: Double?

  @Option(
    parsing: .unconditional,
    help: "Million images at the beginning over which the learning rate rises from 0. (default: 0)",
    transform: number())
  var lrRampup: Double?

  @Option(
    parsing: .unconditional, help: "Million images at the end over which the learning rate falls to 0. (default: 0)",
    transform: number())
  var cooldown: Double?

  @Option(
    parsing: .unconditional,
    help: "Half-life of the moving average of the weights, in million images; 0 for none. (default: 0)",
    transform: number())
  var ema: Double?

  @Option(
    parsing: .unconditional, help: "Probability that a level's choice is replaced by chance. (default: 0.05)",
    transform: number(to: 1))
  var chainDropout: Double?

  @Option(help: "Draw chain dropout for each sample, or for the whole batch as the original does. (default: batch)")
  var chainDropoutPer: ChainDropout.Scope?

  @Option(
    help: "Rule of Split-and-Prune: total-variation (the original program's), paper or none. (default: total-variation)"
  )
  var split: SplitPolicy.Rule?

  @Option(
    parsing: .unconditional, help: "Images a layer sees before its first split. (default: 0)",
    transform: wholeNumber(atLeast: 0))
  var splitWarmup: Int?

  @Option(help: "How 28x28 digits become 32x32: bilinear or padded. (default: bilinear)")
  var resize: DigitDataset.Resize?

  @Option(
    parsing: .unconditional, help: "Seed of the weights, the order of images and chain dropout. (default: 0)",
    transform: seedNumber)
  var seed: UInt64?

  @Option(
    parsing: .unconditional, help: "Thousand images between status lines and pictures. (default: 10)",
    transform: wholeNumber(in: 1...1_000_000_000))
  var tick: Int?

  @Option(
    parsing: .unconditional, help: "Ticks between saves. (default: 5)",
    transform: wholeNumber(in: 1...1_000_000_000))
  var snap: Int?

  @Option(help: "Text to add to the run folder's name.")
  var desc: String?

  func validate() throws {
    if let desc, desc.contains("/") {
      throw ValidationError("--desc '\(desc)' has a slash; it becomes part of a folder's name")
    }
  }

  func runName(data: String) -> String { ([data] + (desc.map { [$0] } ?? [])).joined(separator: "-") }

  /// The names of the options that were given and that a resumed run cannot change.
  var givenNames: [String] {
    named([
      ("--batch", batch != nil), ("--batch-gpu", batchGpu != nil), ("--lr", lr != nil),
      ("--lr-rampup", lrRampup != nil), ("--ema", ema != nil),
      ("--chain-dropout", chainDropout != nil), ("--chain-dropout-per", chainDropoutPer != nil),
      ("--split", split != nil), ("--split-warmup", splitWarmup != nil), ("--resize", resize != nil),
      ("--seed", seed != nil), ("--tick", tick != nil), ("--snap", snap != nil), ("--desc", desc != nil),
    ])
  }
}

func named(_ options: [(name: String, isGiven: Bool)]) -> [String] { options.filter(\.isGiven).map(\.name) }

extension ChainDropout.Scope: ExpressibleByArgument {}
extension SplitPolicy.Rule: ExpressibleByArgument {}
extension DigitDataset.Resize: ExpressibleByArgument {}
