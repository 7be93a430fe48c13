import DDN
import GoldenSupport
import Testing
import Torch

@testable import DDNGuidance

@Suite("Canny edges")
struct CannyGuideTests {
  @Test("edges are OpenCV's, of noise, shapes and pictures")
  func golden() throws {
    let file = try Golden.safetensors("canny/canny.safetensors")
    let names = file.entries.keys.filter { $0.hasSuffix(".gray") }.map { String($0.dropLast(5)) }
    #expect(names.count == 14)
    for name in names {
      let gray = try file.tensor("\(name).gray")
      let expected = try file.tensor("\(name).edges").array(UInt8.self)
      let found = try CannyEdges.indices(of: gray.array(), height: gray.shape[0], width: gray.shape[1])
      #expect(found.sorted() == expected.indices.filter { expected[$0] > 0 }, "\(name)")
    }
  }

  @Test("the target itself is the best candidate, and edges elsewhere cost")
  func scores() throws {
    let file = try Golden.safetensors("canny/canny.safetensors")
    func image(_ name: String) throws -> Tensor {
      try (file.tensor("\(name).gray").to(.float32) * (1 / 127.5) - 1).reshaped([1, 1, 64, 64])
    }
    let shapes = try image("shapes")
    let flat = try Tensor.zeros([1, 1, 64, 64])
    let candidates = try Candidates(images: .stack([flat, image("picture_0"), shapes], dimension: 1))
    let scores = try CannyGuide(shapes).scores(of: candidates).array(Float.self)
    #expect(scores[0] == 0 && scores[2] == 1 && scores[1] < 1)
    let blank = try CannyGuide(flat).scores(of: candidates).array(Float.self)
    #expect(blank[0] == 0 && blank[1] < 0 && blank[2] < 0)
  }

  @Test("candidates of a level are enlarged pixel by pixel")
  func enlarged() throws {
    let small = try Tensor.uniform([1, 1, 8, 8], generator: Generator(seed: 1)) * 2 - 1
    let large = try small.pixelsDoubled()
    let candidates = try Candidates(images: small.reshaped([1, 1, 1, 8, 8]))
    #expect(try CannyGuide(large).scores(of: candidates).array(Float.self) == [1])
  }
}
