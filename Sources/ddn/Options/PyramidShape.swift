import ArgumentParser
import DDN

/// A pyramid network as it is built: what `PyramidNetwork.Configuration` takes.
struct PyramidShape: ParsableArguments {
  @Option(help: "Pixels on a side of the images, a power of 2.")
  var resolution: Int?

  @Flag(help: "Gray images. (default: colour)")
  var gray = false

  @Option(help: "Most nodes a level. (default: 64)")
  var maxOutputk: Int?

  @Option(help: "Most levels of one size. (default: 64)")
  var maxBlockn: Int?

  @Option(help: "Multiplies the number of levels of every size. (default: 1)")
  var blocknTimes: Double?

  @Option(help: "Pixels on a side at the first level, a power of 2. (default: 1)")
  var startSize: Int?

  @Option(help: "Features have this many channels divided by the side, within 4 and --cmax. (default: 8192)")
  var cbase: Int?

  @Option(help: "Most channels of the features. (default: 256)")
  var cmax: Int?

  /// The first option that was given, if any.
  var givenName: String? {
    let options: [(String, Bool)] = [
      ("--resolution", resolution != nil), ("--gray", gray), ("--max-outputk", maxOutputk != nil),
      ("--max-blockn", maxBlockn != nil), ("--blockn-times", blocknTimes != nil), ("--start-size", startSize != nil),
      ("--cbase", cbase != nil), ("--cmax", cmax != nil),
    ]
    return options.first(where: \.1)?.0
  }

  /// - Throws: `UsageError` for an impossible network.
  func configuration() throws -> PyramidNetwork.Configuration {
    let configuration = PyramidNetwork.Configuration(
      resolution: resolution ?? 32, imageChannels: gray ? 1 : 3, startSide: startSize ?? 1, channelBase: cbase ?? 8192,
      channelMaximum: cmax ?? 256, maxBlocks: maxBlockn ?? 64, maxNodes: maxOutputk ?? 64,
      blocksTimes: blocknTimes ?? 1)
    if let objection = configuration.objection { throw UsageError(objection) }
    return configuration
  }
}
