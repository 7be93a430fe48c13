import DDN
import Torch

/// The energy distance between images of random codes and images of the data, in the features of another network, such as
/// a classifier's; with classes, plus that between images of one class.
///
/// Distances to targets say nothing of the leaves that no target chooses. This one asks that a uniformly drawn leaf be an
/// image of the data, and of its class: the expected distance is zero only if features are distributed alike.
///
/// Source: Székely and Rizzo, Energy statistics (2013), in its unbiased estimate; a network trained to match the
/// distribution of features: Li, Swersky and Zemel, Generative Moment Matching Networks (2015).
public struct SampleEnergyDistance: Objective {
  private let features: (Tensor) throws -> Tensor
  /// Below it a squared distance is rounding; the root's gradient stays finite.
  private static let floor = 1e-6

  /// - Parameter features: `[B, C, H, W]` in [-1, 1] to `[B, F]`, with gradients to the images.
  public init(features: @escaping (Tensor) throws -> Tensor) { self.features = features }

  public func losses(of step: LevelStep) throws -> Tensor {
    try .zeros([step.candidates.samples], device: step.candidates.device)
  }

  public func loss(ofRandom draw: () throws -> RandomImages) throws -> Tensor? { try distance(draw()) }

  /// A scalar, in units of the mean distance between two images of the data.
  func distance(_ images: RandomImages) throws -> Tensor {
    let data = try withoutGradients { try features(images.data) }
    let drawn = try features(images.drawn)
    let samples = drawn.shape[0]
    let own = try distances(data, data)
    let excess = try distances(drawn, data) * 2 - distances(drawn, drawn) - own  // [B, B]
    // An image is no pair with itself.
    let isPair = try Self.equality(of: .range(0..<samples, device: drawn.device)) * -1 + 1
    var sum = try mean(excess, of: isPair)
    if let classes = images.classes {
      sum = try sum + mean(excess, of: Self.equality(of: classes) * isPair)
    }
    return try sum / mean(own, of: isPair)
  }

  /// `[A, B]`, between the rows of `[A, F]` and `[B, F]`.
  private func distances(_ first: Tensor, _ second: Tensor) throws(TorchError) -> Tensor {
    let squares =
      try first.squared().sum([1], keepingDimensions: true)
      + second.squared().sum([1], keepingDimensions: true).transposed(0, 1)
    return try (squares - first.matmul(second.transposed(0, 1)) * 2).clamped(Self.floor...Double.infinity).squareRoot()
  }

  /// `[B, B]`: 1 where two of the integers `[B]` are equal, else 0.
  private static func equality(of integers: Tensor) throws(TorchError) -> Tensor {
    let row = try integers.to(.float32).reshaped([1, integers.shape[0]])
    return try (row - row.transposed(0, 1)).squared().isLess(than: 0.5).to(.float32)
  }

  /// The mean of the entries that a mask of 0 and 1 marks; 0 if there are none.
  private func mean(_ values: Tensor, of mask: Tensor) throws(TorchError) -> Tensor {
    try (values * mask).sum() / mask.sum().clamped(1...Double.infinity)
  }
}
