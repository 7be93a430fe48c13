import DDNFiles
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNVision

@Suite("Weights that cannot be used are named, with a remedy") struct WeightFileTests {
  /// The error of a network that reads damaged weights.
  private func error(
    _ network: String, _ damage: (inout [String: Tensor]) throws -> Void, read: (StateDictionary) throws -> Void
  ) throws -> FileError {
    var weights = try Formula.weights(network)
    try damage(&weights)
    let dictionary = StateDictionary(weights, url: URL(filePath: "/weights/my.pth"))
    let error = try #require(throws: FileError.self) { try read(dictionary) }
    #expect(error.kind == .invalid && error.path == "/weights/my.pth" && !error.description.contains("\n"))
    return error
  }

  @Test("missing, misshapen, superfluous and infinite weights") func damaged() throws {
    func resNet(_ dictionary: StateDictionary) throws { _ = try ResNet18(dictionary) }
    let missing = try error("resnet18.cifar", { $0["layer3.0.bn2.running_var"] = nil }, read: resNet)
    #expect(missing.problem == #"has no tensor "layer3.0.bn2.running_var", which ResNet-18 needs"#)
    #expect(missing.remedy.contains("torchvision's resnet18().state_dict()"))

    let shape = try error(
      "resnet18.cifar", { $0["layer2.0.conv1.weight"] = try .zeros([128, 64, 1, 1]) }, read: resNet)
    #expect(shape.problem == #""layer2.0.conv1.weight" is [128, 64, 1, 1], and ResNet-18 needs [128, 64, 3, 3]"#)

    let rank = try error("resnet18.cifar", { $0["conv1.weight"] = try .zeros([64]) }, read: resNet)
    #expect(rank.problem == #""conv1.weight" is [64], not of 4 dimensions"#)

    let more = try error("resnet18.cifar", { $0["layer1.2.conv1.weight"] = try .zeros([1]) }, read: resNet)
    #expect(more.problem == #"has a tensor "layer1.2.conv1.weight", which ResNet-18 lacks"#)

    let infinite = try error("resnet18.cifar", { $0["fc.bias"] = try .full([10], .infinity) }, read: resNet)
    #expect(infinite.problem == #""fc.bias" has values that are not finite"#)
  }

  @Test("batch norms' counters are not needed") func counters() throws {
    var weights = try Formula.weights("resnet18.cifar")
    weights["bn1.num_batches_tracked"] = try .zeros([], dtype: .int64)
    _ = try ResNet18(StateDictionary(weights, url: URL(filePath: "my.pth")))
  }

  @Test("weights of another network") func otherNetwork() throws {
    func nothing(_ weights: inout [String: Tensor]) {}
    let style = try error("lpips.alex", nothing) { _ = try StyleFeatures($0) }
    #expect(style.description.contains("has no first convolution of a ResNet-18 or VGG; give the state_dict() of"))
    let perceptual = try error("resnet18.cifar", nothing) { _ = try LPIPS($0) }
    #expect(perceptual.description.contains("has no first convolution of an AlexNet or VGG-16"))
    let depth = try error("vgg11", nothing) { _ = try LPIPS($0) }
    #expect(depth.problem == #"has no tensor "features.2.weight", which VGG-16 needs"#)
    let vgg = try error("resnet18.cifar", nothing) { _ = try VGG($0) }
    #expect(vgg.problem.contains(#"has no tensor "features.0.weight", which VGG-"#))
    let linear = try error("vgg16", nothing) { _ = try LPIPS($0) }
    #expect(linear.problem == #"has no tensor "lin0.model.1.weight", which LPIPS with VGG-16 needs"#)
    #expect(linear.remedy.contains("vgg.pth of the lpips package"))
    let negative = try error(
      "lpips.alex", { $0["lin2.model.1.weight"] = try .full([1, 384, 1, 1], -1) }, read: { _ = try LPIPS($0) })
    #expect(negative.problem == #""lin2.model.1.weight" has negative weights"#)
  }

  @Test("files that are missing, cut or no weights") func files() throws {
    let scratch = try ScratchFolder()
    try SafetensorsFile.write(Formula.weights("clip.openai"), to: scratch.file("whole.safetensors"))
    let whole = try Data(contentsOf: scratch.file("whole.safetensors"))
    let pickled = try Data(contentsOf: Golden.url("vision/linear.pth"))
    let cases: [(name: String, bytes: Data, problem: String)] = [
      ("cut.safetensors", whole.prefix(whole.count / 2), "cut.safetensors: "),
      ("cut.pth", pickled.prefix(4000), "cut.pth: "),
      ("short.pt", Data("PK".utf8), "short.pt: "), ("empty.pt", Data(), "empty.pt: is empty; download the file again"),
      ("page.pt", Data("<!DOCTYPE html>".utf8), "page.pt: is a web page, not weights; download"),
      ("text.pt", Data("weights".utf8), "torch.save(network.state_dict(), FILE)"),
    ]
    for (name, bytes, problem) in cases {
      try bytes.write(to: scratch.file(name))
      let error = try #require(throws: FileError.self) { try StateDictionary(contentsOf: scratch.file(name)) }
      #expect(error.kind == .invalid && error.description.contains(problem), "\(error)")
      #expect(!error.description.contains("\n"))
    }
    let missing = try #require(throws: FileError.self) { try StateDictionary(contentsOf: scratch.file("none.pt")) }
    #expect(missing.kind == .missing && missing.description.contains("none.pt: no such file"))
    let empty = try #require(throws: FileError.self) { try CLIP(contentsOf: scratch.url) }
    #expect(empty.description.contains("has no model.safetensors or pytorch_model.bin; give a folder of a CLIP"))
  }

  @Test("a snapshot of a DDN is not a state dictionary") func snapshot() throws {
    let error = try #require(throws: FileError.self) {
      try StateDictionary(contentsOf: Golden.url("H/tiny_uncond.pkl"))
    }
    #expect(error.problem == "is a snapshot of a DDN, not a state dictionary")
  }
}
