import DDN
import DDNModels
import GoldenSupport
import Testing
import Torch

@testable import DDNGuidance

/// Candidates of a real layer: shared rows, residuals, more nodes than features.
private func candidates(
  samples: Int, nodes: Int, channels: Int, side: Int, residual: Bool, seed: UInt64
) throws -> Candidates {
  let generator = try Generator(seed: seed)
  let layer = try DiscreteDistributionLayer(
    .init(nodes: nodes, imageChannels: channels, featureChannels: 12, learnsResidual: residual), generator: generator)
  let features = try Tensor.normal([1, 12, side, side], generator: generator)
  let previous = residual ? try Tensor.normal([1, channels, side, side], generator: generator) : nil
  var seen: Candidates?
  _ = try layer(
    level: 0, features: features, previous: previous, paths: SharedPaths(samples: samples, device: .cpu),
    chooser: Spy { seen = $0 })
  return seen!
}

private final class Spy: Chooser {
  private let look: (Candidates) -> Void
  init(_ look: @escaping (Candidates) -> Void) { self.look = look }
  func choose(from candidates: Candidates) throws -> Choice {
    look(candidates)
    return Choice(codes: try .zeros([candidates.samples], dtype: .int64))
  }
}

@Suite("Measurements without images")
struct MeasurementTests {
  /// The squared error by its definition: compute all images, resize them to the target, apply the operator.
  private static func byImages(_ name: String, _ candidates: Candidates, _ target: Tensor, mask: Tensor) throws
    -> Tensor
  {
    let images = try candidates.paths.perSample(candidates.images())  // [B, K, C, h, w]
    let shape = images.shape
    func sized(_ side: Int) throws -> Tensor {
      try images.reshaped([shape[0] * shape[1]] + shape[2...]).resizedArea(height: side, width: side)
        .reshaped([shape[0], shape[1], shape[2], side, side])
    }
    let targets = try target.reshaped([shape[0], 1] + target.shape[1...])
    switch name {
    case "mask":
      let difference = try sized(target.shape[2]) - targets
      let weight = try mask.sum().item() * Double(shape[2])
      return try (difference.squared() * mask).sum([2, 3, 4]) * (-1 / weight)
    case "gray":
      let small = try target.resizedArea(height: shape[3], width: shape[4]).reshaped(
        [shape[0], 1, shape[2], shape[3], shape[4]])
      return try (images.mean([2]) - small.mean([2])).squared().mean([2, 3]) * -1
    default:
      let low = try target.resizedArea(height: 4, width: 4).reshaped([shape[0], 1, shape[2], 4, 4])
      return try (sized(4) - low).squared().mean([2, 3, 4]) * -1
    }
  }

  @Test(
    "the identity scores what scoring all images scores", arguments: ["mask", "gray", "low resolution"],
    [(1, 2), (3, 4), (3, 8), (3, 16)])
  func identity(name: String, shape: (channels: Int, side: Int)) throws {
    for seed in 0..<4 as Range<UInt64> {
      let candidates = try candidates(
        samples: 5, nodes: 20, channels: shape.channels, side: shape.side, residual: seed % 2 == 0, seed: seed)
      let target = try Tensor.uniform([5, shape.channels, 16, 16], generator: Generator(seed: seed + 9)) * 2 - 1
      let mask = try Tensor.uniform([16, 16], generator: Generator(seed: seed + 5))
      let measurement: any Measurement =
        switch name {
        case "mask": try MaskMeasurement(target, mask: mask)
        case "gray": try GrayMeasurement(target)
        default: try LowResolutionMeasurement(target, height: 4, width: 4)
        }
      let found = try MeasurementGuide(measurement).scores(of: candidates)
      let expected = try Self.byImages(name, candidates, target, mask: mask)
      #expect(try deviation(of: found, from: expected) < 1e-4)
    }
  }

  @Test(
    "the same holds for a dense network, whose features are coefficients", arguments: ["mask", "gray", "low"], [1, 3])
  func dense(name: String, channels: Int) throws {
    let configuration = DenseNetwork.Configuration(
      imageShape: [channels, 8, 8], components: 40, nodes: 10, levels: 2, width: 8, nodeFeatures: 6, rank: 12)
    let network = try DenseNetwork(configuration, generator: Generator(seed: 1))
    struct Images: EncodingSource {
      let images: Tensor
      var count: Int { images.shape[0] }
      func images(in range: Range<Int>) throws -> (images: Tensor, classes: Tensor?) {
        (try images.slice(0, range), nil)
      }
    }
    try network.fit(to: Images(images: .uniform([60, channels, 8, 8], generator: Generator(seed: 2))), nodes: .random) {
      _ in
    }
    let target = try Tensor.uniform([5, channels, 8, 8], generator: Generator(seed: 3)) * 2 - 1
    let mask = try Tensor.uniform([8, 8], generator: Generator(seed: 4))
    let measurement: any Measurement =
      switch name {
      case "mask": try MaskMeasurement(target, mask: mask)
      case "gray": try GrayMeasurement(target)
      default: try LowResolutionMeasurement(target, height: 4, width: 4)
      }
    var run = try network.begin(samples: 5, condition: .none)
    while !run.isFinished {
      let found = try MeasurementGuide(measurement).scores(of: run.candidates())
      #expect(try deviation(of: found, from: Self.byImages(name, run.candidates(), target, mask: mask)) < 1e-4)
      try run.advance(by: NearestChooser(Target(target)))
    }
  }

  @Test("a guide of all pixels is the nearest chooser, on a trained network's levels")
  func pixels() throws {
    let network = try Model(contentsOf: Model.shippedURL("mnist-k8-l3")).network
    let targets = try Tensor.uniform([6, 1, 32, 32], generator: Generator(seed: 1)) * 2 - 1
    let guided = try network.outputs(
      samples: 6, chooser: BestChooser(MeasurementGuide(PixelMeasurement(targets))))
    let nearest = try network.outputs(samples: 6, chooser: NearestChooser(Target(targets)))
    #expect(try guided.latentCodes(in: network.codeSpace) == nearest.latentCodes(in: network.codeSpace))
  }
}
