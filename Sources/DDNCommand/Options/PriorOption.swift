import ArgumentParser
import DDN
import DDNCodes
import DDNFiles
import Foundation

/// The prior that codes are drawn from.
struct PriorOption: ParsableArguments {
  @Option(
    help: .init(
      """
      Prior to draw codes from: a file of ddn prior train, or none for uniform codes, those of the original. (default: \
      the one beside the model, if any)
      """, valueName: "file|none"))
  var prior: String?

  @Option(
    parsing: .unconditional,
    help: "1 draws codes as the prior learned, less draws likelier ones, more draws more varied ones. (default: 1)",
    transform: number(to: 1000, isOpen: true))
  var temperature: Double?

  /// The prior's file; nil for none.
  func url(for network: NetworkOption) throws -> URL? {
    if let prior, prior != "none" { return URL(fileURLWithPath: prior) }
    let besides = IntegerPrior.url(besides: network.url)
    let isFound = prior == nil && FileManager.default.fileExists(atPath: besides.path)
    guard isFound || temperature == nil else {
      throw UsageError("--temperature is for a prior, and there is none; train one with ddn prior train")
    }
    return isFound ? besides : nil
  }

  /// - Throws: `FileError` when it is missing, damaged or of another model.
  func load(for network: NetworkOption, _ model: Model) throws -> IntegerPrior? {
    guard let url = try url(for: network) else { return nil }
    do {
      return try IntegerPrior(contentsOf: url, space: model.network.codeSpace, fingerprint: model.fingerprint())
    } catch let error as FileError where prior == nil && error.kind == .invalid {
      throw FileError(
        .invalid, path: error.path, problem: error.problem, remedy: "\(error.remedy), or give --prior none")
    }
  }

  /// Identifies the prior and the temperature; nil for none.
  func identity(for network: NetworkOption) throws -> String? {
    try url(for: network).map { "\(FileIdentity.text(of: $0)), \(PriorTemperature(temperature ?? 1).value)" }
  }

  /// The codes of seeds, from the prior if there is one.
  func codes(
    of seeds: [UInt64], for network: NetworkOption, _ model: Model, classIndex: Int?
  ) throws -> CodeList {
    let (space, classes) = (model.network.codeSpace, model.network.classes)
    guard let prior = try load(for: network, model) else {
      return CodeList(seeds: seeds, in: space, classes: classes, classIndex: classIndex)
    }
    return try CodeList(
      seeds: seeds, from: prior, temperature: PriorTemperature(temperature ?? 1), classes: classes,
      classIndex: classIndex)
  }
}
