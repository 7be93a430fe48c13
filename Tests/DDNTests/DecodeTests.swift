import DDN
import Testing
import Torch

@Suite("Decoding") struct DecodeTests {
  private static func network(isConditional: Bool = false) throws -> RecurrentNetwork {
    try RecurrentNetwork(
      .init(baseWidth: 2, nodes: 4, repeats: 2, isClassConditional: isConditional), generator: Generator(seed: 0))
  }

  @Test("a code of another model and no code are errors")
  func misfits() throws {
    let network = try Self.network()
    let wide = try LatentCode([7, 7], in: CodeSpace(nodes: 8, levels: 2, side: 32))
    let long = try LatentCode([1, 1, 1], in: CodeSpace(nodes: 4, levels: 3, side: 32))
    for codes in [[wide], [long], []] {
      #expect(throws: LatentCodeError.self) { try network.decode(codes) }
    }
  }

  @Test("codes that end early give the images of their last levels, enlarged")
  func partial() throws {
    let network = try PyramidNetworkTests.network(3)
    let whole = (0..<5).map { LatentCode(seed: $0, in: network.codeSpace) }
    var levels: [Tensor] = []
    try network.run(samples: 5, chooser: GivenChooser(whole.tensors(on: .cpu))) {
      levels.append(try $0.imagesPerSample())
    }
    let ends = [1, levels.count, 2, 1, levels.count - 1]
    let drawn = try network.decode(zip(whole, ends).map { $0.prefix($1) })
    #expect(drawn.shape == [5, 3, 8, 8])
    for (image, end) in ends.enumerated() {
      let expected = try levels[end - 1].slice(0, image..<image + 1).resizedBilinear(height: 8, width: 8)
      #expect(try (drawn.slice(0, image..<image + 1) - expected).absolute().array(Float.self).max()! < 1e-5)
    }
    let first = try network.decode(whole.map { $0.prefix(1) })
    #expect(try (first.slice(0, 3..<4) - drawn.slice(0, 3..<4)).absolute().array(Float.self).max()! < 1e-5)
  }

  @Test("classes out of range or of another count than the codes are errors")
  func classes() throws {
    let code = try LatentCode([1, 2], in: CodeSpace(nodes: 4, levels: 2, side: 32))
    #expect(throws: LatentCodeError.self) { try Self.network().decode([code], classes: [0]) }
    let conditional = try Self.network(isConditional: true)
    for classes in [[10], [-1], [1, 2], []] {
      #expect(throws: LatentCodeError.self) { try conditional.decode([code], classes: classes) }
    }
    #expect(try conditional.decode([code, code], classes: [3, 9]).shape == [2, 1, 32, 32])
  }

  @Test("decoding gives the reconstruction's images")
  func roundTrip() throws {
    let network = try Self.network()
    let target = try Tensor.uniform([5, 1, 32, 32], generator: Generator(seed: 1))
    let found = try Reconstruction(of: target, by: network)
    let drawn = try network.decode(found.codes)
    let difference = try (drawn - found.levels.last!).absolute().array(Float.self).max()!
    #expect(difference < 1e-5)
    #expect(found.errors.count == 2 && found.errors[0].count == 5)
  }
}
