import DDNFiles
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNVision

@Suite("Inception v3 computes what pytorch-fid's does") struct InceptionTests {
  /// The formula's weights, by pytorch-fid's names.
  static let weights = Result {
    let shapes = try JSONDecoder().decode(
      [String: [Int]].self, from: Data(contentsOf: Golden.url("inception/shapes.json")))
    var weights: [String: Tensor] = [:]
    for (name, shape) in shapes {
      weights["\(name).conv.weight"] = try Formula.weight("\(name).conv.weight", shape)
      for part in ["weight", "bias", "running_mean", "running_var"] {
        weights["\(name).bn.\(part)"] = try Formula.weight("\(name).bn.\(part)", [shape[0]])
      }
    }
    return UncheckedWeights(tensors: weights)
  }

  /// Read only.
  struct UncheckedWeights: @unchecked Sendable { let tensors: [String: Tensor] }

  private static func dictionary(
    _ change: (inout [String: Tensor]) throws -> Void = { _ in }
  ) throws -> StateDictionary {
    var tensors = try weights.get().tensors
    try change(&tensors)
    return StateDictionary(tensors, url: URL(filePath: "/formula/inception.pth"))
  }

  @Test("features of square and oblong images, and of gray ones") func features() throws {
    let network = try InceptionV3(Self.dictionary(), device: Golden.device)
    let golden = try Golden.safetensors("inception/outputs.safetensors")
    for (height, width) in [(32, 32), (5, 3)] {
      let images = try Formula.images("images.\(height)", [2, 3, height, width])
      let found = try network.features(of: images)
      #expect(try golden.deviation(of: found, from: "features.\(height)") < 1e-4)
    }
    let gray = try Formula.images("gray", [1, 1, 16, 16])
    let repeated = try network.features(of: gray.expanded([-1, 3, -1, -1]).contiguous())
    #expect(try deviation(of: network.features(of: gray), from: repeated) < 1e-6)
  }

  @Test("the same weights in another format or with a classification layer have the same checksum") func checksum()
    throws
  {
    let plain = try InceptionV3(Self.dictionary())
    let scratch = try ScratchFolder()
    try SafetensorsFile.write(Self.weights.get().tensors, to: scratch.file("inception.safetensors"))
    let saved = try InceptionV3(StateDictionary(contentsOf: scratch.file("inception.safetensors")))
    let classifying = try InceptionV3(Self.dictionary { $0["fc.bias"] = try .zeros([1008]) })
    let other = try InceptionV3(Self.dictionary { $0["Mixed_7c.branch_pool.bn.bias"] = try .zeros([192]) })
    #expect(plain.checksum == saved.checksum && plain.checksum == classifying.checksum)
    #expect(plain.checksum != other.checksum && plain.checksum.count == 8)
  }

  @Test("other networks' weights are named, with what to give") func wrongWeights() throws {
    let cases: [(problem: String, change: (inout [String: Tensor]) throws -> Void)] = [
      (#"has no tensor "Mixed_5b.branch1x1.conv.weight""#, { $0["Mixed_5b.branch1x1.conv.weight"] = nil }),
      (#"has a tensor "AuxLogits.fc.bias""#, { $0["AuxLogits.fc.bias"] = try .zeros([1000]) }),
      ("[320, 2048, 1, 1]", { $0["Mixed_7c.branch1x1.conv.weight"] = try .zeros([321, 2048, 1, 1]) }),
      ("not finite", { $0["Mixed_6a.branch3x3.bn.bias"] = try .full([384], .nan) }),
    ]
    for (problem, change) in cases {
      let error = try #require(throws: FileError.self) { try InceptionV3(Self.dictionary(change)) }
      #expect(error.description.contains(problem) && error.description.contains("pytorch-fid's"), "\(error)")
    }
  }
}

@Suite("Detectors in TorchScript") struct ScriptDetectorTests {
  @Test("features are asked for by name, gray images are repeated, many images come in parts") func features() throws {
    let detector = try ScriptDetector(contentsOf: Golden.url("inception/detector.pt"))
    #expect(detector.featureCount == 12)
    #expect(detector.identity.distanceName == "Frechet distance in the features of detector.pt")
    let pixels = try Tensor((0..<2 * 16).map { UInt8($0) }, shape: [2, 1, 4, 4])
    let expected = try pixels.to(.float32).expanded([-1, 3, -1, -1]).resizedArea(height: 2, width: 2)
      .reshaped([2, 12])
    #expect(try deviation(of: detector.features(of: pixels), from: expected) < 1e-6)
  }

  @Test("a module that is no detector is named", arguments: ["brightness", "classes", "fails", "tuple"])
  func wrongModules(name: String) throws {
    let error = try #require(throws: FileError.self) {
      try ScriptDetector(contentsOf: Golden.url("script/\(name).pt"))
    }
    #expect(error.description.contains("cannot be called as a detector"), "\(error)")
    #expect(!error.description.contains("\n"))
  }
}
