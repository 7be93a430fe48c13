import DDNFiles
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNVision

@Suite("VGG computes what torchvision's does") struct VGGTests {
  @Test("activations of every stage, and first features", arguments: ["vgg11", "vgg11_bn", "vgg16"])
  func activations(name: String) throws {
    let network = try VGG(StateDictionary(formula: name), device: Golden.device)
    let images = try Formula.images()
    let stages = try network.activations(of: images).map { try $0.mean([2, 3]).slice(1, 0..<64) }
    #expect(try Formula.deviation(.stack(stages), "\(name).stages") < 1e-5)
    #expect(try Formula.deviation(network.firstFeatures(of: images).slice(1, 0..<2), "\(name).first") < 1e-5)
  }
}

@Suite("LPIPS computes what the lpips package does") struct LPIPSTests {
  @Test("distances, of images that are small, large and not square", arguments: ["alex", "vgg"])
  func distances(net: String) throws {
    let lpips = try LPIPS(StateDictionary(formula: "lpips.\(net)"), device: Golden.device)
    for (height, width) in [(64, 64), (70, 97), (16, 40)] {
      let first = try Formula.images("first.\(height)", [3, 3, height, width])
      let second = try Formula.images("second.\(height)", [3, 3, height, width])
      let similar = try first * 0.9 + second * 0.1
      let found = try Tensor.concatenate([lpips.distances(first, second), lpips.distances(first, similar)])
      #expect(try Formula.deviation(found, "lpips.\(net).\(height)") < 1e-5)
      #expect(try lpips.distances(first, first).array(Float.self).allSatisfy { $0 == 0 })
    }
  }

  @Test("linear weights may be a file of torch.save, wrapped and with DataParallel's prefix") func linearFile() throws {
    let whole = try Formula.weights("lpips.alex")
    let backbone = whole.filter { $0.key.hasPrefix("net.") }.map { name, tensor in
      ("features." + name.split(separator: ".").dropFirst(2).joined(separator: "."), tensor)
    }
    let lpips = try LPIPS(
      StateDictionary(Dictionary(uniqueKeysWithValues: backbone), url: URL(filePath: "alexnet.pth")),
      linear: StateDictionary(contentsOf: Golden.url("vision/linear.pth")))
    let images = try ["first.64", "second.64"].map { try Formula.images($0, [3, 3, 64, 64]).to(.cpu) }
    let expected = try LPIPS(StateDictionary(formula: "lpips.alex")).distances(images[0], images[1])
    #expect(try deviation(of: lpips.distances(images[0], images[1]), from: expected) == 0)
  }
}
