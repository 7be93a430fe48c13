import ArgumentParser
import DDN
import DDNFiles
import DDNImport
import Foundation
import Torch

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn weights of the original program into a model.",
    discussion: """
      Reads snapshots (shot-*.pkl) and training states (training-state-*.pt) of discrete_distribution_networks, and \
      what torch.save wrote of a state_dict(), the MNIST network of sddn included. Nothing in the file is run; what no \
      such file has is refused.

      Examples:
        ddn import shot-010000.pkl cifar10.safetensors
        ddn import training-state-010000.pt faces.safetensors --learn-res false
        ddn import state-dict.pt mnist.safetensors --levels 10
        ddn generate --network cifar10.safetensors
      """)

  @Argument(help: .init("The original's file.", valueName: "snapshot")) var snapshot: String

  @Argument(help: .init("The model to write, a .safetensors file.", valueName: "output")) var output: String

  @Option(
    help: .init(
      """
      Whether nodes add to the last level's image: the original's option, which its files do not hold. (default: \
      \(OriginalOptions.fileName) beside the snapshot; else true, false for the MNIST network)
      """, valueName: "true|false"))
  var learnRes: Bool?

  @Option(help: "What the network of a state dictionary is told, such as class10 or edge. (default: nothing)")
  var condition: ConditionKind?

  @Option(help: "Levels of an MNIST network. (default: 10 for each of its U-Nets)")
  var levels: Int?

  func validate() throws {
    if let levels, !(1...65_536).contains(levels) {
      throw ValidationError("--levels \(levels) is not within 1...65536")
    }
    if !output.hasSuffix(".safetensors") {
      throw ValidationError("the output '\(output)' does not end in .safetensors")
    }
  }

  func run() throws {
    let url = URL(fileURLWithPath: snapshot)
    let original = try OriginalSnapshot(contentsOf: url)
    let options = try learnRes == nil ? OriginalOptions(beside: url) : nil
    let model = try original.model(
      .init(
        learnsResidual: learnRes ?? options?.learnsResidual, conditions: condition.map { [$0] } ?? [], levels: levels))
    try model.write(to: URL(fileURLWithPath: output))

    Terminal.print("found         \(original.kind.rawValue) of \(original.state.count) tensors")
    Terminal.print(
      "network       \(model.configuration.summary), \(model.network.parameterCount) parameters")
    let source =
      learnRes != nil ? "by --learn-res" : options?.learnsResidual != nil ? "by \(OriginalOptions.fileName)" : "assumed"
    Terminal.print("residuals     \(model.configuration.learnsResidual ? "learned" : "not learned"), \(source)")
    if let images = original.images { Terminal.print("trained on    \(images) images") }
    if !original.moments.isEmpty {
      Terminal.print("left out      the optimizer's state of \(original.moments.count) parameters")
    }
    Terminal.print("written to    \(output)")
    let needsImage = model.network.conditions.contains(where: \.needsImages)
    Terminal.print("use it        ddn generate --network \(output)" + (needsImage ? " --condition-image PICTURE" : ""))
  }
}

extension ConditionKind: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension NetworkConfiguration {
  fileprivate var learnsResidual: Bool {
    switch self {
    case .recurrent(let configuration): configuration.learnsResidual
    case .pyramid(let configuration): configuration.learnsResidual
    }
  }
}
