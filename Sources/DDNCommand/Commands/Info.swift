import ArgumentParser
import DDN
import DDNFiles
import DDNModels
import Foundation
import Torch

struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Describe a model, or this program and machine.",
    discussion: """
      Examples:
        ddn info                          versions, devices, shipped models
        ddn info --network mnist          one model
        ddn info --network runs/00000-mnist
        ddn info --resolution 64 --max-outputk 512     the levels of a pyramid, before it is trained
      """)

  @Option(help: "A shipped model, a .safetensors file, or a run folder.")
  var network: String?

  @OptionGroup(title: "A pyramid network without weights") var pyramid: PyramidShape

  func run() throws {
    if let name = pyramid.givenName {
      guard network == nil else { throw UsageError("--network and \(name) exclude each other; remove one") }
      let configuration = try pyramid.configuration()
      Terminal.print("network       \(NetworkConfiguration.pyramid(configuration).summary)")
      return LevelTable.print(configuration)
    }
    guard let network else { return try printMachine() }
    var option = NetworkOption()
    option.network = network
    let model = try option.load(device: .cpu)
    let space = model.network.codeSpace
    Terminal.print("file          \(option.url.path)")
    Terminal.print("network       \(model.configuration.summary), \(model.network.parameterCount) parameters")
    Terminal.print("images        \(model.network.imageShape.map(String.init).joined(separator: "x"))")
    Terminal.print(
      "code          \(space.levels.count) choices, \(formatNumber(space.bits, digits: 1)) bits")
    defer {
      if let pyramid = model.configuration.architecture as? PyramidNetwork.Configuration { LevelTable.print(pyramid) }
    }
    guard let training = model.training else { return }
    // Unknown for models of the original program.
    let duration = training.elapsedSeconds > 0 ? " in \(formatDuration(training.elapsedSeconds))" : ""
    Terminal.print("trained on    \(training.data), \(training.images) images\(duration)")
    if !training.lossOfLevels.isEmpty {
      Terminal.print("level losses  \(training.lossOfLevels.map { formatNumber($0) }.joined(separator: " "))")
    }
    guard !training.perplexityOfLayers.isEmpty else { return }
    Terminal.print(
      "node use      perplexity \(formatPerplexities(training.perplexityOfLayers)) of \(space.maxNodes)")
  }

  private func printMachine() throws {
    Terminal.print("ddn           \(Ddn.configuration.version)")
    Terminal.print(
      "libtorch      \(LibTorch.version), \(LibTorch.threadCount) threads, \(try Device.cudaCount()) CUDA devices")
    for name in Model.shippedNames {
      let model = try Model(contentsOf: Model.shippedURL(name))
      Terminal.print("\(name.padding(toLength: 13, withPad: " ", startingAt: 0)) \(model.configuration.summary)")
    }
  }
}
