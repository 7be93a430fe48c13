import DDN
import Torch

/// The two forms of exact selection on one shape of layer.
public struct LayerBenchmark: Sendable {
  public let nodes: Int
  public let channels: Int
  public let features: Int
  public let side: Int
  public let samples: Int

  /// Layers of the MNIST network, and of large colour networks at high and at low resolution.
  public static let all = [
    LayerBenchmark(nodes: 64, channels: 1, features: 4, side: 32, samples: 64),
    LayerBenchmark(nodes: 64, channels: 1, features: 16, side: 32, samples: 64),
    LayerBenchmark(nodes: 512, channels: 3, features: 128, side: 32, samples: 8),
    LayerBenchmark(nodes: 256, channels: 3, features: 64, side: 64, samples: 4),
    LayerBenchmark(nodes: 512, channels: 3, features: 128, side: 8, samples: 8),
  ]

  public var name: String {
    "layer K=\(nodes) C=\(channels) F=\(features) \(side)x\(side) B=\(samples)"
  }

  /// Times choosing a node for a batch: by all images, by products, and by the form that the cost model takes.
  public func run(rounds: Int, device: Device) throws -> (images: Timing, products: Timing, chosen: Timing) {
    let generator = try Generator(seed: 0, device: device)
    let pixels = side * side
    let featureTensor = try Tensor.normal([samples, features, pixels], generator: generator)
    let weights = try Tensor.normal([nodes, channels, features], generator: generator)
    let residual = try Tensor.normal([samples, channels, pixels], generator: generator)
    let paths = SharedPaths.separate(samples: samples)
    func choose(_ form: NodeDistances.Form?) throws {
      _ = try NodeDistances.all(
        features: featureTensor, weights: weights, residual: residual, paths: paths, form: form
      ).argmin(1).array(Int.self)  // Devices work on by themselves until someone reads.
    }
    let timings = try Timing.inTurns(
      rounds: rounds, [{ try choose(.images) }, { try choose(.products) }, { try choose(nil) }])
    return (timings[0], timings[1], timings[2])
  }
}
