import ArgumentParser
import DDN
import DDNFiles
import Foundation
import Torch

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a model to a file, optionally at half or a quarter of the size.",
    discussion: """
      Copies the newest model of a run folder, a shipped model or a file. With --half the weights are float16: half the \
      bytes, and nearly the same images. With --quarter matrices are bytes with a scale for each row: a quarter, \
      and images that differ a little more. --network computes in float32 with all. Codes of one are not decoded by \
      another, and a prior belongs to the file that it was trained for.

      Examples:
        ddn export --network runs/00000-mnist mnist.safetensors
        ddn export --network runs/00000-mnist --half mnist.safetensors
        ddn export --network runs/00001-faces --quarter faces.safetensors
      """)

  @OptionGroup var network: NetworkOption

  @Argument(help: .init("The model to write, a .safetensors file.", valueName: "output")) var output: String

  @Flag(help: "Write float16 weights.") var half = false

  @Flag(help: "Write weights of 8 bits, with a scale for each row of a matrix.") var quarter = false

  @Flag(help: "Overwrite the output.") var overwrite = false

  func validate() throws {
    if !output.hasSuffix(".safetensors") {
      throw ValidationError("the output '\(output)' does not end in .safetensors")
    }
    if half, quarter { throw ValidationError("--half and --quarter exclude each other") }
  }

  func run() throws {
    try checkOutput(output, overwrites: overwrite)
    let model = try network.load(device: .cpu)
    let largest =
      try model.network.state().values.map { try $0.absolute().reshaped([-1]).maximum([0]).item() }.max() ?? 0
    if half || quarter, !(largest <= 65_504) {  // Also for NaN.
      throw FileError(
        .invalid, path: network.url.path, problem: "has weights up to \(largest), above float16's 65504",
        remedy: "leave --\(half ? "half" : "quarter") out")
    }
    let url = URL(fileURLWithPath: output)
    try model.write(to: url, precision: half ? .float16 : quarter ? .int8 : .float32)
    let bytes = try Data(contentsOf: url, options: .alwaysMapped).count
    Terminal.print("\(output): \(model.configuration.summary), \(bytes) bytes")
  }
}
