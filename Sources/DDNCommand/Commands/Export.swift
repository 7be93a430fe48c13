import ArgumentParser
import DDN
import DDNFiles
import Foundation
import Torch

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a model to a file, at half the size if told so.",
    discussion: """
      Copies the newest model of a run folder, a shipped model or a file. With --half the weights are float16: half the \
      bytes, and nearly the same images; --network computes in float32 with either. Codes of one \
      are not decoded by the other, and a prior belongs to the file that it was trained for.

      Examples:
        ddn export --network runs/00000-mnist mnist.safetensors
        ddn export --network runs/00000-mnist --half mnist.safetensors
      """)

  @OptionGroup var network: NetworkOption

  @Argument(help: .init("The model to write, a .safetensors file.", valueName: "output")) var output: String

  @Flag(help: "Write float16 weights.") var half = false

  @Flag(help: "Overwrite the output.") var overwrite = false

  func validate() throws {
    if !output.hasSuffix(".safetensors") {
      throw ValidationError("the output '\(output)' does not end in .safetensors")
    }
  }

  func run() throws {
    try checkOutput(output, overwrites: overwrite)
    let model = try network.load(device: .cpu)
    let largest =
      try model.network.state().values.map { try $0.absolute().reshaped([-1]).maximum([0]).item() }.max() ?? 0
    if half, largest > 65_504 {
      throw FileError(
        .invalid, path: network.url.path, problem: "has weights up to \(largest), above float16's 65504",
        remedy: "leave --half out")
    }
    let url = URL(fileURLWithPath: output)
    try model.write(to: url, precision: half ? .float16 : .float32)
    let bytes = try Data(contentsOf: url, options: .alwaysMapped).count
    Terminal.print("\(output): \(model.configuration.summary), \(bytes) bytes")
  }
}
