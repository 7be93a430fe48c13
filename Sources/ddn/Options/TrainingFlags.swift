import ArgumentParser
import DDN
import DDNData

/// The options of `ddn train` that describe the network. Each is nil when it was not given.
struct NetworkShape: ParsableArguments {
  @Option(help: "K, the images that each level offers. (default: 64)")
  var nodes: Int?

  @Option(help: "L, the levels. (default: 10)")
  var levels: Int?

  @Option(help: "Channels at full resolution; even. 8 gives 407,311 parameters with 64 nodes. (default: 8)")
  var width: Int?

  @Flag(help: "Tell the network each digit's class.")
  var cond = false

  @Flag(help: "Let nodes add to the last level's image instead of making a whole one.")
  var learnRes = false

  var configuration: NetworkConfiguration {
    .recurrent(
      .init(
        baseWidth: width ?? 8, nodes: nodes ?? 64, repeats: levels ?? 10, learnsResidual: learnRes,
        isClassConditional: cond))
  }

  /// The names of the options that were given.
  var givenNames: [String] {
    named([
      ("--nodes", nodes != nil), ("--levels", levels != nil), ("--width", width != nil), ("--cond", cond),
      ("--learn-res", learnRes),
    ])
  }
}

/// The options of `ddn train` that say how to learn. Each is nil when it was not given.
struct LearningOptions: ParsableArguments {
  @Option(help: "Images a step. (default: 128)")
  var batch: Int?

  @Option(help: "Adam's learning rate. (default: 0.001)")
  var lr: Double?

  @Option(help: "Million images at the end over which the learning rate falls to 0. (default: 0)")
  var cooldown: Double?

  @Option(help: "Half-life of the moving average of the weights, in million images; 0 for none. (default: 0)")
  var ema: Double?

  @Option(help: "Probability that a level's choice is replaced by chance. (default: 0.05)")
  var chainDropout: Double?

  @Option(help: "Draw chain dropout for each sample, or for the whole batch as the original does. (default: batch)")
  var chainDropoutPer: ChainDropout.Scope?

  @Option(
    help: "Rule of Split-and-Prune: total-variation (the original program's), paper or none. (default: total-variation)"
  )
  var split: SplitPolicy.Rule?

  @Option(help: "Images a layer sees before its first split. (default: 0)")
  var splitWarmup: Int?

  @Option(help: "How 28x28 digits become 32x32: bilinear or padded. (default: bilinear)")
  var resize: DigitDataset.Resize?

  @Option(help: "Seed of the weights, the order of images and chain dropout. (default: 0)")
  var seed: UInt64?

  @Option(help: "Thousand images between status lines and pictures. (default: 10)")
  var tick: Int?

  @Option(help: "Ticks between saves. (default: 5)")
  var snap: Int?

  @Option(help: "Text to add to the run folder's name.")
  var desc: String?

  func validate() throws {
    if let desc, desc.contains("/") {
      throw ValidationError("--desc '\(desc)' has a slash; it becomes part of a folder's name")
    }
    if let tick, !(1...1_000_000_000).contains(tick) {
      throw ValidationError("--tick \(tick) is not within 1...1000000000")
    }
  }

  func runName(data: String) -> String { ([data] + (desc.map { [$0] } ?? [])).joined(separator: "-") }

  /// The names of the options that were given and that a resumed run cannot change.
  var givenNames: [String] {
    named([
      ("--batch", batch != nil), ("--lr", lr != nil), ("--ema", ema != nil),
      ("--chain-dropout", chainDropout != nil), ("--chain-dropout-per", chainDropoutPer != nil),
      ("--split", split != nil), ("--split-warmup", splitWarmup != nil), ("--resize", resize != nil),
      ("--seed", seed != nil), ("--tick", tick != nil), ("--snap", snap != nil), ("--desc", desc != nil),
    ])
  }
}

private func named(_ options: [(name: String, isGiven: Bool)]) -> [String] { options.filter(\.isGiven).map(\.name) }

extension ChainDropout.Scope: ExpressibleByArgument {}
extension SplitPolicy.Rule: ExpressibleByArgument {}
extension DigitDataset.Resize: ExpressibleByArgument {}
