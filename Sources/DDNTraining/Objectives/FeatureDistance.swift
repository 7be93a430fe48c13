import DDN
import Torch

/// The distance between the last level's images and the target in the features of another network, such as a
/// classifier's: against blur, which pixel distances prefer to a wrong edge. Zero at other levels.
///
/// Every feature map is normalized over its channels, and differences are averaged over pixels.
///
/// Source: Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric (2018), unlearned weights.
public struct FeatureDistance: Objective {
  private let features: (Tensor) throws -> [Tensor]

  /// - Parameter features: `[B, C, H, W]` in [-1, 1] to feature maps, each `[B, F, h, w]`, with gradients to the images.
  public init(features: @escaping (Tensor) throws -> [Tensor]) { self.features = features }

  public func losses(of step: LevelStep) throws -> Tensor {
    guard step.output.level == step.levels - 1 else {
      return try .zeros([step.candidates.samples], device: step.candidates.device)
    }
    let images = try step.output.imagesPerSample()
    let goals = try withoutGradients {
      try features(step.target.sized(height: images.shape[2], width: images.shape[3])).map(normalized)
    }
    var sum: Tensor?
    for (map, goal) in zip(try features(images), goals) {
      let difference = try (normalized(map) - goal).squared().sum([1]).mean([1, 2])  // [B]
      sum = try sum.map { try $0 + difference } ?? difference
    }
    return try sum! * Double(step.levels)  // Losses are averaged over levels.
  }

  private func normalized(_ map: Tensor) throws(TorchError) -> Tensor {
    try map / (map.squared().sum([1], keepingDimensions: true) + 1e-10).squareRoot()
  }
}
