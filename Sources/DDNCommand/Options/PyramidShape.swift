import ArgumentParser
import DDN

/// The rules by which a pyramid network gets its levels. Each is nil when it was not given.
struct PyramidRules: ParsableArguments {
  @Option(
    parsing: .unconditional, help: "Most nodes a level. (default: 64)",
    transform: wholeNumber(in: 2...4096))
  var maxOutputk: Int?

  @Option(
    parsing: .unconditional, help: "Most levels of one size. (default: 64)",
    transform: wholeNumber(in: 1...64))
  var maxBlockn: Int?

  @Option(
    parsing: .unconditional, help: "Multiplies the number of levels of every size. (default: 1)",
    transform: number(to: 64, isOpen: true))
  var blocknTimes: Double?

  @Option(
    parsing: .unconditional, help: "Pixels on a side at the first level, a power of 2. (default: 1)",
    transform: wholeNumber(in: 1...4096))
  var startSize: Int?

  @Option(
    parsing: .unconditional,
    help: "Features have this many channels divided by the side, within 4 and --cmax. (default: 8192)",
    transform: wholeNumber(in: 1...1 << 24))
  var cbase: Int?

  @Option(
    parsing: .unconditional, help: "Most channels of the features. (default: 256)",
    transform: wholeNumber(in: 1...4096))
  var cmax: Int?

  /// The names of the options that were given.
  var givenNames: [String] {
    named([
      ("--max-outputk", maxOutputk != nil), ("--max-blockn", maxBlockn != nil), ("--blockn-times", blocknTimes != nil),
      ("--start-size", startSize != nil), ("--cbase", cbase != nil), ("--cmax", cmax != nil),
    ])
  }

  /// - Throws: `UsageError` for an impossible network.
  func configuration(
    resolution: Int, imageChannels: Int, learnsResidual: Bool = true, conditions: [ConditionKind] = []
  ) throws -> PyramidNetwork.Configuration {
    let configuration = PyramidNetwork.Configuration(
      resolution: resolution, imageChannels: imageChannels, startSide: startSize ?? 1, channelBase: cbase ?? 8192,
      channelMaximum: cmax ?? 256, maxBlocks: maxBlockn ?? 64, maxNodes: maxOutputk ?? 64,
      blocksTimes: blocknTimes ?? 1, learnsResidual: learnsResidual, conditions: conditions)
    if let objection = configuration.objection { throw UsageError(objection) }
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

  /// - Throws: `UsageError` for an impossible network.
  func configuration() throws -> PyramidNetwork.Configuration {
    try rules.configuration(resolution: resolution ?? 32, imageChannels: gray ? 1 : 3)
  }
}
