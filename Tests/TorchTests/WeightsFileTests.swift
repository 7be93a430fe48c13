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

  @Test("matrices come back from bytes within half a step of their row's scale, all else from float16")
  func quantized() throws {
    let scratch = Scratch()
    let matrix = try Tensor.normal([64, 8, 16], generator: Generator(seed: 1))
    let rows = try (0..<64).map { try matrix.select(0, $0) * pow(10, Double($0 % 7) - 3) }
    let saved = [
      "matrix": try Tensor.stack(rows), "zeros": try Tensor.zeros([4_096, 2]),
      "small": try Tensor.normal([4, 4], generator: Generator(seed: 2)),
      "vector": try Tensor.normal([10_000], generator: Generator(seed: 3)),
    ]
    try SafetensorsFile.write(SafetensorsFile.quantized(saved), to: scratch.url)
    let file = try SafetensorsFile(contentsOf: scratch.url)
    #expect(file.entries["matrix"]?.dtype == .int8 && file.entries["matrix.scale"]?.shape == [64])
    #expect(file.entries["small"]?.dtype == .float16 && file.entries["vector"]?.dtype == .float16)
    let loaded = try saved.mapValues { try Tensor.full($0.shape, 7) }
    try file.load(into: loaded)
    for row in 0..<64 {
      let (was, now) = (try saved["matrix"]!.select(0, row), try loaded["matrix"]!.select(0, row))
      let step = try was.absolute().reshaped([-1]).maximum([0]).item() / 127
      let error = try (was - now).absolute().reshaped([-1]).maximum([0]).item()
      #expect(error <= 0.5001 * step && error > 0.3 * step, "row \(row): \(error) of \(step)")
    }
    #expect(try loaded["zeros"]!.absolute().reshaped([-1]).maximum([0]).item() == 0)
    #expect(try loaded["small"]!.bytes() == saved["small"]!.to(.float16).to(.float32).bytes())
  }

  @Test("bytes without fitting scales are refused", arguments: ["missing", "shape", "type", "vector"])
  func scales(fault: String) throws {
    let scratch = Scratch()
    var stored = try SafetensorsFile.quantized(["matrix": .normal([64, 64], generator: Generator(seed: 1))])
    switch fault {
    case "missing": stored["matrix.scale"] = nil
    case "shape": stored["matrix.scale"] = try .zeros([63])
    case "type": stored["matrix.scale"] = try .zeros([64], dtype: .float16)
    default: stored["matrix"] = try stored["matrix"]!.reshaped([4_096])
    }
    try SafetensorsFile.write(stored, to: scratch.url)
    let error = #expect(throws: FileError.self) {
      try SafetensorsFile(contentsOf: scratch.url).load(into: ["matrix": .zeros([64, 64])])
    }
    #expect(error?.kind == .invalid && error?.problem.contains("\"matrix\" is I8") == true, "\(error!)")
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
