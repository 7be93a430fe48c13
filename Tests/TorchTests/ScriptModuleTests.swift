import DDNFiles
import Foundation
import GoldenSupport
import Testing
import Torch

@Suite("TorchScript modules")
struct ScriptModuleTests {
  private static func module(_ name: String) throws -> ScriptModule {
    try ScriptModule(contentsOf: Golden.url("script/\(name).pt"))
  }

  @Test("a module computes what its code says, in evaluation mode and without gradients")
  func computes() throws {
    let images = try Tensor.uniform([3, 1, 4, 4], generator: Generator(seed: 1))
    try images.setRequiresGradient(true)
    #expect(
      try deviation(of: Self.module("brightness")([images]), from: images.mean([1, 2, 3])) < 1e-6)
    let weight = try Tensor((0..<18).map { Float($0) / 18 }, shape: [2, 1, 3, 3])
    let bias = try Tensor([0.5, -0.5] as [Float], shape: [2])
    let expected = try images.convolved(weight, bias: bias, padding: 1).resizedArea(height: 2, width: 2)
    let found = try Self.module("features")([images])
    #expect(try deviation(of: found, from: expected) < 1e-6)
    #expect(!found.requiresGradient)
  }

  @Test("a file that is no module is named, with what to do", arguments: ["weights", "torn", "safetensors", "text"])
  func wrongFiles(name: String) throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "ddn-script-\(UUID().uuidString).pt")
    defer { try? FileManager.default.removeItem(at: url) }
    let bytes =
      switch name {
      case "weights": try Data(contentsOf: Golden.url("script/weights.pt"))
      case "torn": try Data(contentsOf: Golden.url("script/features.pt")).prefix(4000)
      case "safetensors": try Data(contentsOf: Golden.url("A/torch_rand.safetensors"))
      default: Data("hello".utf8)
      }
    try bytes.write(to: url)
    let error = try #require(throws: FileError.self) { _ = try ScriptModule(contentsOf: url) }
    let text = error.description
    #expect(text.hasPrefix("\(url.path): is not a TorchScript module"), "\(text)")
    #expect(text.hasSuffix("write it with torch.jit.script(module).save(...)") && !text.contains("\n"), "\(text)")
  }

  @Test("a missing file is named")
  func missing() throws {
    let error = try #require(throws: FileError.self) {
      _ = try ScriptModule(contentsOf: URL(filePath: "/no/such/module.pt"))
    }
    #expect(error.kind == .missing)
  }

  @Test(
    "a failure inside a module has its reason",
    arguments: [("fails", "seven channels, please"), ("tuple", "forward() returns a Tuple, not a tensor")])
  func failures(name: String, reason: String) throws {
    let module = try Self.module(name)
    let error = try #require(throws: TorchError.self) { _ = try module([.zeros([1, 1, 2, 2])]) }
    #expect(error.operation.hasSuffix("script/\(name).pt") && error.message.contains(reason), "\(error)")
  }

  @Test("a wrong number of inputs is an error")
  func inputs() throws {
    let module = try Self.module("brightness")
    #expect(throws: TorchError.self) { _ = try module([]) }
  }

  @Test("a flag is a Boolean argument by its name, and an unknown one is an error")
  func flags() throws {
    let module = try ScriptModule(contentsOf: Golden.url("inception/detector.pt"))
    let images = try Tensor.full([2, 3, 4, 4], 7, dtype: .uint8)
    #expect(try module([images]).shape == [2, 3] && module([images], flag: "return_features").shape == [2, 12])
    #expect(throws: TorchError.self) { _ = try module([images], flag: "use_magic") }
  }
}
