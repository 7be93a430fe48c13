import DDNFiles
import Foundation
import Testing
import Torch

@Suite("Weights in files")
struct WeightsFileTests {
  final class Network: Module {
    let layer: Linear
    let norm: LayerNorm
    init(seed: UInt64, inputs: Int = 3) throws {
      layer = try Linear(inputs, 2, generator: Generator(seed: seed))
      norm = try LayerNorm([4])
    }
  }

  /// A file that goes with its test.
  final class Scratch {
    let url = FileManager.default.temporaryDirectory.appending(path: "weights-\(UUID().uuidString).safetensors")
    deinit { try? FileManager.default.removeItem(at: url) }
  }

  @Test("a network comes back from a file, bit for bit and still trainable")
  func roundTrip() throws {
    let scratch = Scratch()
    let (saved, loaded) = (try Network(seed: 1), try Network(seed: 2))
    try SafetensorsFile.write(saved.state(), to: scratch.url)
    try SafetensorsFile(contentsOf: scratch.url).load(into: loaded.state())
    for (name, tensor) in saved.state() { #expect(try tensor.bytes() == loaded.state()[name]?.bytes(), "\(name)") }
    #expect(loaded.layer.weight.tensor.requiresGradient)
  }

  @Test("names in the file may be others")
  func renaming() throws {
    let scratch = Scratch()
    let (saved, loaded) = (try Network(seed: 1), try Network(seed: 2))
    let renamed = Dictionary(uniqueKeysWithValues: saved.state().map { ("model.\($0)", $1) })
    try SafetensorsFile.write(renamed, to: scratch.url)
    try SafetensorsFile(contentsOf: scratch.url).load(into: loaded.state()) { "model.\($0)" }
    #expect(try loaded.layer.weight.tensor.bytes() == saved.layer.weight.tensor.bytes())
  }

  @Test(
    "a file that does not fit is refused by the tensor's name, and nothing is changed",
    arguments: ["missing", "extra", "shape", "type"])
  func refusal(fault: String) throws {
    let scratch = Scratch()
    var tensors = try Network(seed: 1).state()
    switch fault {
    case "missing": tensors["norm.weight"] = nil
    case "extra": tensors["norm.more"] = try .zeros([1])
    case "shape": tensors["norm.weight"] = try .zeros([5])
    default: tensors["norm.weight"] = try .zeros([4], dtype: .float64)
    }
    try SafetensorsFile.write(tensors, to: scratch.url)
    let network = try Network(seed: 2)
    let before = try network.state().mapValues { try $0.bytes() }
    let file = try SafetensorsFile(contentsOf: scratch.url)
    let error = #expect(throws: FileError.self) { try file.load(into: network.state()) }
    let name = fault == "extra" ? "norm.more" : "norm.weight"
    #expect(error?.description.contains(name) == true && error?.description.contains(scratch.url.path) == true)
    #expect(error?.description.contains("\n") == false)
    for (name, tensor) in network.state() { #expect(try tensor.bytes() == before[name], "\(name)") }
  }
}
