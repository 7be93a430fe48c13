import ArgumentParser
import DDN
import DDNData
import DDNTraining

private typealias Defaults = TrainingDefaults

/// The optimization options of `ddn train`.
struct LearningOptions: ParsableArguments {
  @Option(
    parsing: .unconditional, help: "Images per step. (default: \(Defaults.batch); dense: \(Defaults.dense.batch))",
    transform: wholeNumber(in: 1...1_000_000))
  var batch: Int?

  @Option(
    parsing: .unconditional,
    help: "Images per micro-batch; a step accumulates their gradients. (default: the batch)",
    transform: wholeNumber(in: 1...1_000_000))
  var batchGpu: Int?

  @Option(
    parsing: .unconditional,
    help: "Adam's learning rate. (default: \(Defaults.learningRate); dense: \(Defaults.dense.learningRate))",
    transform: number(isOpen: true))
  var lr: Double?

  @Option(
    parsing: .unconditional,
    help: "Million images of linear warm-up from learning rate 0. (default: \(Defaults.rampImages))",
    transform: number())
  var lrRampup: Double?

  @Option(
    parsing: .unconditional,
    help: """
      Million images of linear decay to learning rate 0 at the end. (default: \(Defaults.cooldownImages); dense: \
      three quarters of the duration)
      """,
    transform: number())
  var cooldown: Double?

  @Option(
    parsing: .unconditional,
    help:
      "Half-life of the exponential moving average of weights, in million images; 0 for none. (default: \(plain(Defaults.averageHalfLifeImages)))",
    transform: number())
  var ema: Double?

  @Option(
    parsing: .unconditional,
    help: """
      Vary the images at random, against overfitting: at strength 1, shifted by up to 3% of their side, turned by 5 \
      degrees, resized by 6%, with 15% more or less contrast and 10% more or less brightness. (default: 0)
      """,
    transform: number(to: 4))
  var augment: Double?

  @Option(
    parsing: .unconditional,
    help: """
      Bend the images, too: the places of a 5x5 grid move by a normal number of this deviation, as a share of the side, \
      and others smoothly with them. For few images. (default: 0; 0.015 is a little)
      """,
    transform: number(to: 0.2))
  var warp: Double?

  @Option(
    parsing: .unconditional,
    help: """
      Let contrast differ over an image: by a normal number of this deviation on a 3x3 grid, smooth between. \
      (default: 0; 0.1 is a little)
      """,
    transform: number(to: 1))
  var shade: Double?

  @Option(
    parsing: .unconditional,
    help: """
      Mix images: cos(a) of one and sin(a) of another, less their mean, for a normal angle a of this deviation in \
      radians. For few images. (default: 0; 0.4 is a lot)
      """,
    transform: number(to: 2))
  var mix: Double?

  @Option(
    parsing: .unconditional,
    help: """
      Train the path that a beam search with N beams finds, not the nearest image of each level; for codes that \
      are searched with beams. A dense network's step takes about twice as long with 2, six times with 8. (default: 1)
      """,
    transform: wholeNumber(in: 1...4096))
  var beams: Int?

  @Option(
    parsing: .unconditional,
    help: """
      Probability that a level's choice is replaced by a random one. (default: \(Defaults.chainDropout); dense: \
      \(plain(Defaults.dense.chainDropout)))
      """,
    transform: number(to: 1))
  var chainDropout: Double?

  @Option(
    parsing: .unconditional,
    help: "That probability at the last level, linear between. (default: that of the first)",
    transform: number(to: 1))
  var lastChainDropout: Double?

  @Option(
    help:
      "Draw chain dropout per sample, or per batch like the original. (default: \(Defaults.chainDropoutScope.rawValue))"
  )
  var chainDropoutPer: ChainDropout.Scope?

  @Option(
    help: """
      Rule of Split-and-Prune: total-variation (the original program's), paper or none. (default: \
      \(Defaults.splitRule.rawValue))
      """
  )
  var split: SplitPolicy.Rule?

  @Option(
    parsing: .unconditional,
    help: "Images before a layer's first split. (default: \(Defaults.splitWarmupImages))",
    transform: wholeNumber(atLeast: 0))
  var splitWarmup: Int?

  @Option(help: "Resizing of 28x28 digits to 32x32: bilinear or padded. (default: \(Defaults.resize.rawValue))")
  var resize: DigitDataset.Resize?

  @Option(
    parsing: .unconditional,
    help: "Seed of the weights, the order of images, their variations and chain dropout. (default: \(Defaults.seed))",
    transform: seedNumber)
  var seed: UInt64?

  @Option(
    parsing: .unconditional,
    help: "Thousand images between status lines and image grids. (default: \(Defaults.tickImages / 1000))",
    transform: wholeNumber(in: 1...1_000_000_000))
  var tick: Int?

  @Option(
    parsing: .unconditional, help: "Ticks between saves. (default: \(Defaults.saveTicks))",
    transform: wholeNumber(in: 1...1_000_000_000))
  var snap: Int?

  @Option(help: "Text to add to the run folder's name.")
  var desc: String?

  func validate() throws {
    if let desc, desc.contains("/") {
      throw ValidationError("--desc '\(desc)' contains a slash, but it is part of a folder's name; remove it")
    }
  }

  func runName(data: String) -> String { ([data] + (desc.map { [$0] } ?? [])).joined(separator: "-") }

  /// Names of the given options that a resumed run cannot change.
  var givenNames: [String] {
    named([
      ("--batch", batch != nil), ("--batch-gpu", batchGpu != nil), ("--lr", lr != nil),
      ("--lr-rampup", lrRampup != nil), ("--ema", ema != nil), ("--augment", augment != nil),
      ("--warp", warp != nil), ("--shade", shade != nil), ("--mix", mix != nil),
      ("--beams", beams != nil),
      ("--chain-dropout", chainDropout != nil), ("--last-chain-dropout", lastChainDropout != nil),
      ("--chain-dropout-per", chainDropoutPer != nil),
      ("--split", split != nil), ("--split-warmup", splitWarmup != nil),
      ("--resize", resize != nil),
      ("--seed", seed != nil), ("--tick", tick != nil), ("--snap", snap != nil), ("--desc", desc != nil),
    ])
  }
}
