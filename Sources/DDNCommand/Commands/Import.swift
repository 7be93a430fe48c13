import ArgumentParser
import DDN
import DDNFiles
import DDNImport
import Foundation
import Torch

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Convert weights of the original program to a model.",
    discussion: """
      Reads snapshots (shot-*.pkl) and training states (training-state-*.pt) of discrete_distribution_networks, and \
      state_dict() files of torch.save or safetensors, including the MNIST network of sddn. No code in the file is \
      executed, and other content than the network is ignored. float16 and bfloat16 weights become float32.

      Until 2023-11-20 the original's first level read channels of -1, 0, 1 instead of zeros. Snapshots store which; \
      state dictionaries do not: give --initial-image channel-ramp for weights of that time, such as, it seems, the \
      published ones labelled v15.

      Examples:
        ddn import shot-010000.pkl cifar10.safetensors
        ddn import training-state-010000.pt faces.safetensors --learn-res false
        ddn import state-dict.pt mnist.safetensors --levels 10
        ddn import v15-state-dict.pt cifar10.safetensors --initial-image channel-ramp
        ddn generate --network cifar10.safetensors
      """)

  @Argument(help: .init("The original's file.", valueName: "snapshot")) var snapshot: String

  @Argument(help: .init("The model to write, a .safetensors file.", valueName: "output")) var output: String

  @Option(
    help: .init(
      """
      Whether nodes learn residuals to the previous level's image: the original's option, which its files lack. \
      (default: learn_res in \(OriginalOptions.fileName) beside the snapshot, false where the file lacks it, unless \
      the path contains learn.res; without the file true, false for the MNIST network)
      """, valueName: "true|false"))
  var learnRes: Bool?

  @Option(help: "The condition of a state dictionary's network, such as class10 or edge. (default: none)")
  var condition: ConditionKind?

  @Option(
    help: .init(
      "The initial image of a state dictionary's pyramid. (default: zeros)",
      valueName: "zeros|channel-ramp"))
  var initialImage: InitialImageOption?

  @Option(
    parsing: .unconditional, help: "Levels of an MNIST network. (default: 10 for each of its U-Nets)",
    transform: wholeNumber(in: 1...65_536))
  var levels: Int?

  @Flag(help: "Overwrite the output.") var overwrite = false

  func validate() throws {
    if !output.hasSuffix(".safetensors") {
      throw ValidationError("the output '\(output)' does not end in .safetensors")
    }
  }

  func run() throws {
    let (url, outputURL) = (URL(fileURLWithPath: snapshot), URL(fileURLWithPath: output))
    try checkOutput(output, overwrites: overwrite)
    let original = try OriginalSnapshot(contentsOf: url)
    // With --learn-res the file is only used for notes, so it may be damaged.
    let options = try learnRes == nil ? OriginalOptions(beside: url) : (try? OriginalOptions(beside: url)) ?? nil
    if initialImage == .zeros, original.initialImage != nil {
      throw UsageError("the first level of '\(snapshot)' reads channel-ramp; remove --initial-image zeros")
    }
    let model = try original.model(
      .init(
        learnsResidual: learnRes ?? options?.learnsResidual, conditions: condition.map { [$0] } ?? [], levels: levels,
        initialImage: initialImage?.image))
    try model.write(to: outputURL)
    report(original, model, options)
  }

  private func report(_ original: OriginalSnapshot, _ model: Model, _ options: OriginalOptions?) {
    let place = original.wrapper.map { ", in \(quoted($0))" } ?? ""
    Terminal.print("found         \(original.kind.rawValue) of \(original.state.count) tensors\(place)")
    Terminal.print(
      "network       \(model.configuration.summary), \(model.network.parameterCount) parameters")
    Terminal.print(
      "residuals     \(model.network.layer(at: 0).configuration.learnsResidual ? "learned" : "not learned"), \(residualSource(options))"
    )
    if let configuration = model.configuration.architecture as? PyramidNetwork.Configuration {
      let source =
        switch original.kind {
        case .stateDictionary: initialImage == nil ? "assumed" : "by --initial-image"
        default: "by the snapshot"
        }
      Terminal.print("first input   \(configuration.initialImage?.rawValue ?? "zeros"), \(source)")
    }
    if !original.widenedTypes.isEmpty {
      let types = original.widenedTypes.map { $0 == .float16 ? "float16" : "bfloat16" }.joined(separator: " and ")
      Terminal.print("weights       \(types), now float32")
    }
    if options?.usesHalfPrecision == true {
      Terminal.print("precision     trained with --fp16: the original's codes in float16 may differ")
    }
    if let images = original.images {
      let (name, counters) = (original.imagesOfName, original.imagesOfCounters)
      let source =
        if images == name, let counters, counters != images {
          ", by the file's name; by its counters \(counters)"
        } else {
          images == name ? ", by the file's name" : ", by its counters"
        }
      Terminal.print("trained on    \(images) images\(source)")
    }
    if !original.statistics.isEmpty {
      Terminal.print("ignored       Split-and-Prune's counters, except their perplexity")
    }
    if !original.leftOut.isEmpty {
      let more = original.leftOut.count > 5 ? " and \(original.leftOut.count - 5) more" : ""
      Terminal.print("ignored       \(original.leftOut.prefix(5).map { quoted($0) }.joined(separator: ", "))\(more)")
    }
    Terminal.print("written to    \(output)")
    let needsImage = model.network.conditions.contains(where: \.needsImages)
    Terminal.print("use it        ddn generate --network \(output)" + (needsImage ? " --condition-image PICTURE" : ""))
  }

  private func residualSource(_ options: OriginalOptions?) -> String {
    if learnRes != nil { return "by --learn-res" }
    guard let options else { return "assumed" }
    if options.namedLearnsResidual != nil { return "by \(OriginalOptions.fileName)" }
    return options.learnsResidual
      ? "by the path, as \(OriginalOptions.fileName) has no learn_res"
      : "as \(OriginalOptions.fileName) has no learn_res"
  }
}

/// The values of `--initial-image`.
enum InitialImageOption: String, ExpressibleByArgument {
  case zeros
  case channelRamp = "channel-ramp"

  var image: InitialImage? { self == .channelRamp ? .channelRamp : nil }
}

extension ConditionKind: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
