import DDNFiles
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDN

@Suite("Pyramid network") struct PyramidNetworkTests {
  static let samples = 12

  /// A small network with weights such that every term affects the output.
  static func network(
    _ imageChannels: Int, _ conditions: [ConditionKind] = [], blocks: Int = 2, leaksChoice: Bool? = nil
  ) throws
    -> PyramidNetwork
  {
    let network = try PyramidNetwork(
      .init(
        resolution: 8, imageChannels: imageChannels, channelMaximum: 12, maxBlocks: blocks, maxNodes: 4,
        conditions: conditions, leaksChoice: leaksChoice), generator: Generator(seed: 3))
    let generator = try Generator(seed: 4)
    try withoutGradients {
      for (name, parameter) in network.namedParameters() where name.contains("secondConvolution") {
        try parameter.tensor.copy(from: Tensor.normal(parameter.tensor.shape, generator: generator) * 0.2)
      }
    }
    return network
  }

  /// Six different images, each twice.
  static func images(_ imageChannels: Int) throws -> Tensor {
    let images = try Tensor.uniform([samples / 2, imageChannels, 8, 8], generator: Generator(seed: 5)) * 2 - 1
    return try .concatenate([images, images])
  }

  static let conditions: [[ConditionKind]] = [
    [], [.classNumber(of: 10)], [.gray], [.classNumber(of: 3), .edges, .lowResolution(side: 4)],
  ]

  @Test("an image's output does not depend on its batch", arguments: conditions, [1, 3])
  func alone(conditions: [ConditionKind], imageChannels: Int) throws {
    let network = try Self.network(imageChannels, conditions)
    let images = try Self.images(imageChannels)
    let classes = try Tensor((0..<Self.samples).map { $0 % 3 }, shape: [Self.samples])
    let together = try network.outputs(
      samples: Self.samples, condition: network.condition(classes: classes, sources: images),
      chooser: NearestChooser(Target(images)))
    for sample in 0..<Self.samples {
      let range = sample..<sample + 1
      let image = try images.slice(0, range)
      let alone = try network.outputs(
        samples: 1, condition: network.condition(classes: classes.slice(0, range), sources: image),
        chooser: NearestChooser(Target(image)))
      for (batch, single) in zip(together, alone) {
        #expect(try batch.codes.array(Int.self)[sample] == single.codes.array(Int.self)[0])
        let difference = try batch.imagesPerSample().slice(0, range) - single.imagesPerSample()
        #expect(try difference.absolute().array(Double.self).max()! <= 1e-5, "image \(sample), level \(batch.level)")
      }
    }
    let rows = conditions.contains(where: \.needsImages) ? Self.samples : conditions.isEmpty ? 4 : 12
    #expect(together[0].chosen.shape[0] <= rows)
    #expect(Set(try together.latentCodes(in: network.codeSpace)).count > 2)
  }

  @Test("every kind of condition changes the images", arguments: conditions.dropFirst())
  func conditioning(on conditions: [ConditionKind]) throws {
    let network = try Self.network(3, conditions)
    let codes = [LatentCode](repeating: LatentCode(seed: 1, in: network.codeSpace), count: 2)
    let images = try Self.images(3).slice(0, 0..<2)
    let same = try images.slice(0, 0..<1).expanded([2, 3, 8, 8])
    func difference(_ classes: [Int], _ sources: Tensor) throws -> Double {
      let drawn = try network.decode(codes, classes: network.classes > 0 ? classes : nil, sources: sources)
      return try (drawn.slice(0, 0..<1) - drawn.slice(0, 1..<2)).absolute().sum().item()
    }
    #expect(try difference([1, 1], same) == 0)
    if network.classes > 0 { #expect(try difference([1, 2], same) > 1e-3) }
    if conditions.contains(where: \.needsImages) { #expect(try difference([1, 1], images) > 1e-3) }
  }

  @Test("a condition that is missing or has another shape is an error")
  func missing() throws {
    let network = try Self.network(3, [.gray])
    let code = LatentCode(seed: 1, in: network.codeSpace)
    #expect(throws: ConditionError.self) { try network.decode([code]) }
    #expect(throws: ConditionError.self) { try network.decode([code], sources: .zeros([1, 1, 8, 8])) }
    #expect(throws: ConditionError.self) { try network.decode([code], sources: .zeros([2, 3, 8, 8])) }
    #expect(throws: ConditionError.self) {
      try network.outputs(
        samples: 1, condition: Condition(classes: .zeros([1], dtype: .int64), sources: .zeros([1, 3, 8, 8])),
        chooser: RandomChooser(SeededDraws(seeds: [0], levels: 10, device: .cpu)))
    }
    #expect(throws: LatentCodeError.self) { try network.decode([code], classes: [0]) }
  }

  @Test("decoding gives the reconstruction's images", arguments: [1, 3])
  func roundTrip(imageChannels: Int) throws {
    let network = try Self.network(imageChannels, [.classNumber(of: 4), .lowResolution(side: 2)])
    let images = try Self.images(imageChannels)
    let classes = (0..<Self.samples).map { $0 % 4 }
    let found = try Reconstruction(of: images, by: network, classes: Tensor(classes, shape: [Self.samples]))
    let drawn = try network.decode(found.codes, classes: classes, sources: images)
    #expect(try deviation(of: drawn, from: found.levels.last!) < 1e-5)
    #expect(found.levels.map { $0.shape[2] } == [1, 2, 2, 4, 4, 8, 8] && drawn.shape[1] == imageChannels)
  }

  @Test("without leak choice only the image tells the next level of a choice", arguments: [true, false])
  func leakChoice(leaks: Bool) throws {
    let network = try Self.network(3, leaksChoice: leaks)
    // Two nodes of the first level with the same image, for the halves of the features that make it.
    let layer = network.layer(at: 0)
    let shape = layer.weight.tensor.shape  // [4 * 3, F, 1, 1]
    try withoutGradients {
      let rows = try layer.weight.tensor.reshaped([4, 3, shape[1]])
      let features = try network.features(of: network.begin(samples: 1, condition: .none))
      let read = try features.slice(1, 0..<shape[1]).reshaped([shape[1]]).array(Double.self)
      // A weight that is orthogonal to the features that make the image.
      var other = [Float](repeating: 0, count: shape[1])
      (other[0], other[1]) = (Float(read[1]), Float(-read[0]))
      let first = try rows.slice(0, 0..<1).array(Float.self)
      let second = first.indices.map { first[$0] + other[$0 % shape[1]] }
      let rest = try rows.slice(0, 2..<4).array(Float.self)
      try layer.weight.tensor.copy(from: Tensor(first + second + rest, shape: shape))
    }
    let code = LatentCode(seed: 1, in: network.codeSpace).choices
    let codes = try [0, 1].map { try LatentCode([$0] + code.dropFirst(), in: network.codeSpace) }
    let outputs = try network.outputs(samples: 2, chooser: GivenChooser(codes.tensors(on: .cpu)))
    func difference(_ output: LevelOutput) throws -> Double {
      let images = try output.imagesPerSample()
      return try (images.slice(0, 0..<1) - images.slice(0, 1..<2)).absolute().array(Double.self).max()!
    }
    #expect(try difference(outputs[0]) < 1e-5)
    #expect(try (difference(outputs.last!) > 1e-3) == leaks)
    #expect(outputs.allSatisfy { ($0.leakedChoice != nil) == leaks })
  }

  @Test("a model file restores the network", arguments: [1, 3])
  func modelFile(imageChannels: Int) throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "pyramid-\(UUID().uuidString).safetensors")
    defer { try? FileManager.default.removeItem(at: url) }
    let network = try Self.network(imageChannels, [.classNumber(of: 4)])
    try Model(configuration: .pyramid(network.configuration), network: network).write(to: url)
    let model = try Model(contentsOf: url)
    #expect(model.configuration == .pyramid(network.configuration))
    let code = LatentCode(seed: 1, in: network.codeSpace)
    let drawn = try model.network.decode([code], classes: [3])
    #expect(try drawn.bytes() == network.decode([code], classes: [3]).bytes())
  }

  @Test("in bfloat16 images are nearly the same, and all features are bfloat16")
  func bfloat16() throws {
    let network = try Self.network(3)
    let code = LatentCode(seed: 1, in: network.codeSpace)
    let chooser = GivenChooser(try [code].tensors(on: .cpu))
    let exact = try network.outputs(samples: 1, chooser: chooser)
    let rough = try withPrecision(.bfloat16, on: .cpu) { try network.outputs(samples: 1, chooser: chooser) }
    #expect(try rough.allSatisfy { try $0.features.dtype == .bfloat16 && $0.chosen.dtype == .float32 })
    let error = try deviation(of: rough.last!.images, from: exact.last!.images)
    #expect(error > 1e-5 && error < 0.05)
  }
}
