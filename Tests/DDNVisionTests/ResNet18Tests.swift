import DDNFiles
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNVision

@Suite("ResNet-18 computes what torchvision's does") struct ResNet18Tests {
  @Test("logits and first features of ImageNet's network") func imageNet() throws {
    let network = try ResNet18(StateDictionary(formula: "resnet18"), device: Golden.device)
    #expect(network.classes == 1000)
    let images = try Formula.images()
    #expect(try Formula.deviation(network.logits(of: images), "resnet18.logits") < 1e-5)
    #expect(try Formula.deviation(network.firstFeatures(of: images).slice(1, 0..<8), "resnet18.first") < 1e-5)
  }

  @Test("logits of CIFAR-10's network; gray images are repeated to three channels") func cifar() throws {
    let network = try ResNet18(StateDictionary(formula: "resnet18.cifar"), device: Golden.device)
    #expect(network.classes == 10)
    let images = try Formula.images()
    #expect(try Formula.deviation(network.logits(of: images), "resnet18.cifar.logits") < 1e-5)
    let gray = try images.slice(1, 0..<1)
    let repeated = try network.logits(of: gray.expanded([-1, 3, -1, -1]))
    #expect(try deviation(of: network.logits(of: gray), from: repeated) == 0)
  }

  @Test("images in chunks give the logits of the images alone") func chunks() throws {
    let images = try Formula.images("many", [5, 3, 8, 8])
    let body: (Tensor) throws -> Tensor = { try $0.mean([1, 2]) }
    let parts = try images.mapChunks(pixels: 2 * 64, size: (8, 8), body)
    #expect(try deviation(of: parts, from: body(images)) == 0)
    var counts: [Int] = []
    _ = try images.mapChunks(pixels: 2 * 64, size: (8, 8)) { images in
      counts.append(images.shape[0])
      return images
    }
    #expect(counts == [2, 2, 1])
  }
}
