import ArgumentParser
import DDN

private let standard = PyramidNetwork.Configuration()

/// The rules for a pyramid network's levels; nil when not given.
struct PyramidRules: ParsableArguments {
  @Option(
    parsing: .unconditional, help: "Most nodes a level. (default: \(standard.maxNodes))",
    transform: wholeNumber(in: 2...4096))
  var maxOutputk: Int?

  @Option(
    parsing: .unconditional, help: "Most levels of one size. (default: \(standard.maxBlocks))",
    transform: wholeNumber(in: 1...64))
  var maxBlockn: Int?

  @Option(
    parsing: .unconditional,
    help: "Multiplies the number of levels of every size. (default: \(plain(standard.blocksTimes)))",
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
      Features have this many channels divided by the side, within \(standard.channelMinimum) and --cmax. \
      (default: \(standard.channelBase))
      """,
    transform: wholeNumber(in: 1...1 << 24))
  var cbase: Int?

  @Option(
    parsing: .unconditional, help: "Most channels of the features. (default: \(standard.channelMaximum))",
    transform: wholeNumber(in: 1...4096))
  var cmax: Int?

  /// The names of the options that were given.
  var givenNames: [String] {
    named([
      ("--max-outputk", maxOutputk != nil), ("--max-blockn", maxBlockn != nil), ("--blockn-times", blocknTimes != nil),
      ("--start-size", startSize != nil), ("--cbase", cbase != nil), ("--cmax", cmax != nil),
    ])
  }

  /// - Throws: `ConfigurationError` for an impossible network.
  func configuration(
    resolution: Int, imageChannels: Int, learnsResidual: Bool? = nil, conditions: [ConditionKind] = []
  ) throws -> PyramidNetwork.Configuration {
    let configuration = PyramidNetwork.Configuration(
      resolution: resolution, imageChannels: imageChannels, startSide: startSize ?? standard.startSide,
      channelBase: cbase ?? standard.channelBase, channelMaximum: cmax ?? standard.channelMaximum,
      maxBlocks: maxBlockn ?? standard.maxBlocks, maxNodes: maxOutputk ?? standard.maxNodes,
      blocksTimes: blocknTimes ?? standard.blocksTimes, learnsResidual: learnsResidual ?? standard.learnsResidual,
      conditions: conditions)
    try configuration.validate()
    return configuration
  }
}

/// A pyramid network as it would be built for images of a size.
struct PyramidShape: ParsableArguments {
  @Option(
    parsing: .unconditional, help: "Pixels on a side of the images, a power of 2.",
    transform: wholeNumber(in: 1...4096))
  var resolution: Int?

  @Flag(help: "Gray images. (default: colour)")
  var gray = false

  @OptionGroup var rules: PyramidRules

  /// The first option that was given, if any.
  var givenName: String? {
    (named([("--resolution", resolution != nil), ("--gray", gray)]) + rules.givenNames).first
  }

  /// - Throws: `ConfigurationError` for an impossible network.
  func configuration() throws -> PyramidNetwork.Configuration {
    try rules.configuration(
      resolution: resolution ?? standard.resolution, imageChannels: gray ? 1 : standard.imageChannels)
  }
}
