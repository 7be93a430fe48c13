import DDN
import Foundation
import Testing
import Torch

@testable import DDNEvaluation

/// Images in memory.
struct MemoryImages: EncodingSource {
  /// `[N, C, H, W]`.
  let all: Tensor
  var count: Int { all.shape[0] }

  func images(in range: Range<Int>) throws -> (images: Tensor, classes: Tensor?) { (try all.slice(0, range), nil) }

  /// The numbers of `CompressionGolden` as images of 4 x 4.
  static func golden() throws -> MemoryImages {
    MemoryImages(all: try Tensor(CompressionGolden.numbers(400, 16).map(Float.init), shape: [400, 1, 4, 4]))
  }

  func error(of images: Tensor) throws -> Double {
    try (images - all).squared().to(.float64).mean([0, 1, 2, 3]).item()
  }
}

@Suite("Baseline codes") struct BaselineCodeTests {
  @Test("the variances of principal components are NumPy's") func components() throws {
    let golden = try CompressionGolden.all.get().pca
    let source = try MemoryImages.golden()
    let code = try PCACode(fitting: source, count: 400, bits: 24)
    #expect(zip(code.variances, golden.variances).allSatisfy { abs($0 - $1) < 1e-6 } && code.variances.count == 16)
    // With many bits in three components, only the others' variance is left.
    let three = try PCACode(fitting: source, count: 400, bits: 200)
    let rough = try source.error(of: three.reconstructions(of: source.all, bits: [200])[0])
    #expect(rough < golden.errorOfThreeComponents)
  }

  @Test("each bit lowers the error, by at most the Gaussian bound's factor of four") func bits() throws {
    let source = try MemoryImages.golden()
    let code = try PCACode(fitting: source, count: 400, bits: 30)
    let rates = Array(0...30)
    let errors = try code.reconstructions(of: source.all, bits: rates).map { try source.error(of: $0) }
    #expect(abs(errors[0] - code.variances.reduce(0, +) / 16) < 1e-6)
    for (before, after) in zip(errors, errors.dropFirst()) {
      #expect(after < before && after > before / 4.5)
    }
    for bits in rates {
      #expect(code.allocation(bits: bits).reduce(0, +) == bits)
    }
    // A prefix of the bits is the code of fewer bits.
    let shorter = try PCACode(fitting: source, count: 400, bits: 10)
    #expect(shorter.componentOfBit == Array(code.componentOfBit.prefix(10)))
  }

  @Test("images without variance are coded") func constant() throws {
    let source = MemoryImages(all: try Tensor.full([5, 1, 2, 2], 0.25))
    let code = try PCACode(fitting: source, count: 5, bits: 8)
    #expect(try source.error(of: code.reconstructions(of: source.all, bits: [8])[0]) < 1e-10)
  }

  @Test(
    "k-means never gets worse from one step to the next, with more centres than clusters, too",
    arguments: [1, 2, 7, 60])
  func kMeans(count: Int) throws {
    let points = try MemoryImages.golden().all.reshaped([400, 16])
    let fit = try KMeans(fitting: points, count: count, generator: Generator(seed: 1), maxSteps: 30)
    #expect(fit.centers.shape == [count, 16] && fit.errors.count > 1)
    #expect(zip(fit.errors, fit.errors.dropFirst()).allSatisfy { $1 <= $0 })
    let (_, distances) = try KMeans.nearest(points, fit.centers)
    let error = try (distances + points.squared().sum([1])).mean([0]).item()
    #expect(abs(error - fit.errors.last!) < 1e-3 * error + 1e-6)
  }

  @Test("k-means finds clusters, and reseeds empty ones") func clusters() throws {
    // Three far clusters of equal points: a fourth centre has none to itself, and nothing fails.
    let corners: [[Float]] = [[0, 0], [10, 5], [20, 0]]
    let points = try Tensor((0..<60).flatMap { corners[$0 % 3] }, shape: [60, 2])
    let fit = try KMeans(fitting: points, count: 4, generator: Generator(seed: 3), maxSteps: 30)
    #expect(fit.errors.last! < 1e-6)
    #expect(try fit.centers.allFinite())
  }

  @Test("every stage of a residual quantizer lowers the error, and a seed repeats it") func stages() throws {
    let source = try MemoryImages.golden()
    let code = try ResidualKMeans(fitting: source, count: 400, nodes: [8, 1, 8, 4], seed: 5)
    var errors: [Double] = []
    try code.reconstruct(source.all) { stage, images in
      #expect(stage == errors.count)
      errors.append(try source.error(of: images))
    }
    #expect(errors.count == 4 && zip(errors, errors.dropFirst()).allSatisfy { $1 <= $0 + 1e-9 })
    #expect(errors[3] < 0.6 * errors[0])
    let again = try ResidualKMeans(fitting: source, count: 400, nodes: [8, 1, 8, 4], seed: 5)
    #expect(try zip(again.stages, code.stages).allSatisfy { try $0.array(Float.self) == $1.array() })
    // The training images are unchanged.
    #expect(try source.all.array(Float.self) == MemoryImages.golden().all.array())
  }
}
