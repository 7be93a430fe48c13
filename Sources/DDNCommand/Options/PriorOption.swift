import ArgumentParser
import DDN
import DDNCodes
import DDNFiles
import Foundation

/// A model's prior.
struct PriorOption: ParsableArguments {
  @Option(
    help: .init(
      """
      The model's prior: a file of ddn prior train, or none for uniform codes. (default: the one beside the model, if \
      any)
      """, valueName: "file|none"))
  var prior: String?

  /// As if the option were not given.
  static var besidesModel: PriorOption {
    var option = PriorOption()
    option.prior = nil
    return option
  }

  /// The prior's file; nil for none.
  func url(for network: NetworkOption) -> URL? {
    if let prior { return prior == "none" ? nil : URL(fileURLWithPath: prior) }
    let besides = IntegerPrior.url(besides: network.url)
    return FileManager.default.fileExists(atPath: besides.path) ? besides : nil
  }

  /// The prior; nil for none.
  ///
  /// - Throws: `FileError` when it is missing, damaged or of another model.
  func load(for network: NetworkOption, _ model: Model) throws -> IntegerPrior? {
    guard let url = url(for: network) else { return nil }
    do {
      return try IntegerPrior(contentsOf: url, space: model.network.codeSpace, fingerprint: model.fingerprint())
    } catch let error as FileError where prior == nil && error.kind == .invalid {
      throw FileError(
        .invalid, path: error.path, problem: error.problem, remedy: "\(error.remedy), or give --prior none")
    }
  }
}

/// How codes are drawn from a prior.
struct TemperatureOption: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "1 draws codes as the prior learned, less draws likelier ones, more draws more varied ones. (default: 1)",
    transform: number(to: 1000, isOpen: true))
  var temperature: Double?

  var value: PriorTemperature { PriorTemperature(temperature ?? 1) }

  /// - Throws: `UsageError` for a temperature without a prior.
  func check(_ prior: IntegerPrior?) throws {
    guard prior != nil || temperature == nil else {
      throw UsageError("--temperature is for a prior, and there is none; train one with ddn prior train")
    }
  }
}

extension CodeList {
  /// The codes that seeds draw from a prior, or uniformly without one.
  ///
  /// - Throws: `UsageError` for a temperature without a prior.
  init(
    seeds: [UInt64], of network: any DiscreteDistributionNetwork, prior: IntegerPrior?, temperature: TemperatureOption,
    classIndex: Int?
  ) throws {
    try temperature.check(prior)
    if let prior {
      try self.init(
        seeds: seeds, from: prior, temperature: temperature.value, classes: network.classes, classIndex: classIndex)
    } else {
      self.init(seeds: seeds, in: network.codeSpace, classes: network.classes, classIndex: classIndex)
    }
  }
}
