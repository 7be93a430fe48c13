import ArgumentParser
import DDN

private let standard = PyramidNetwork.Configuration()

/// The options of a pyramid network's levels.
struct PyramidRules: ParsableArguments {
  @Option(
    parsing: .unconditional, help: "Maximum nodes per level. (default: \(standard.maxNodes))",
    transform: wholeNumber(in: 2...4096))
  var maxOutputk: Int?

  @Option(
    parsing: .unconditional, help: "Maximum levels per resolution. (default: \(standard.maxBlocks))",
    transform: wholeNumber(in: 1...64))
  var maxBlockn: Int?

  @Option(
    parsing: .unconditional,
    help: "Factor of the number of levels per resolution. (default: \(plain(standard.blocksTimes)))",
    transform: number(to: 64, isOpen: true))
  var blocknTimes: Double?

  @Option(
    parsing: .unconditional,
    help: "Pixels on a side at the first level, a power of 2. (default: \(standard.startSide))",
    transform: wholeNumber(in: 1...4096))
  var startSize: Int?

  @Option(
    parsing: .unconditional,
    help: """
      Features have this many channels divided by the side, clamped to \(standard.channelMinimum) and --cmax. \
      (default: \(standard.channelBase))
      """,
    transform: wholeNumber(in: 1...1 << 24))
  var cbase: Int?

  @Option(
    parsing: .unconditional, help: "Maximum channels of the features. (default: \(standard.channelMaximum))",
    transform: wholeNumber(in: 1...4096))
  var cmax: Int?

  /// Names of the given options.
  var givenNames: [String] {
    named([
      ("--max-outputk", maxOutputk != nil), ("--max-blockn", maxBlockn != nil), ("--blockn-times", blocknTimes != nil),
      ("--start-size", startSize != nil), ("--cbase", cbase != nil), ("--cmax", cmax != nil),
    ])
  }

  /// These options, and what the original's `train.py` has for those that are not given.
  func orOriginal() -> PyramidRules {
    var rules = self
    rules.maxBlockn = maxBlockn ?? 8
    rules.maxOutputk = maxOutputk ?? 8
    return rules
  }

  /// - Throws: `ConfigurationError` for an invalid network.
  func configuration(
    resolution: Int, imageChannels: Int, learnsResidual: Bool? = nil, leaksChoice: Bool? = nil,
    conditions: [ConditionKind] = []
  ) throws -> PyramidNetwork.Configuration {
    let configuration = PyramidNetwork.Configuration(
      resolution: resolution, imageChannels: imageChannels, startSide: startSize ?? standard.startSide,
      channelBase: cbase ?? standard.channelBase, channelMaximum: cmax ?? standard.channelMaximum,
      maxBlocks: maxBlockn ?? standard.maxBlocks, maxNodes: maxOutputk ?? standard.maxNodes,
      blocksTimes: blocknTimes ?? standard.blocksTimes, learnsResidual: learnsResidual ?? standard.learnsResidual,
      conditions: conditions, leaksChoice: leaksChoice == false ? false : nil)
    try configuration.validate()
    return configuration
  }
}

/// The options of a pyramid network without data.
struct PyramidShape: ParsableArguments {
  @Option(
    parsing: .unconditional, help: "Pixels on a side of the images, a power of 2.",
    transform: wholeNumber(in: 1...4096))
  var resolution: Int?

  @Flag(help: "Gray images. (default: colour)")
  var gray = false

  @OptionGroup var rules: PyramidRules

  /// Name of the first given option.
  var givenName: String? {
    (named([("--resolution", resolution != nil), ("--gray", gray)]) + rules.givenNames).first
  }

  /// - Throws: `ConfigurationError` for an invalid network.
  func configuration() throws -> PyramidNetwork.Configuration {
    try rules.configuration(
      resolution: resolution ?? standard.resolution, imageChannels: gray ? 1 : standard.imageChannels)
  }
}
