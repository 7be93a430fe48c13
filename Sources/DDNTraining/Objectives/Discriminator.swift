import DDN
import Torch

/// A small network that learns to tell the last level's images from their targets, and their distance by its score:
/// against blur, which it recognizes. Zero at other levels.
///
/// Its gradient is scaled to the length of that of the squared pixel distance, so that its weight says how much it counts,
/// independently of its scores. The reported loss has no share of it.
///
/// Source: Esser, Rombach and Ommer, Taming Transformers (2021): a discriminator with an adaptive weight beside a
/// quantizer's distance; hinge loss: Lim and Ye, Geometric GAN (2017).
public final class Discriminator: Objective {
  private let network: DiscriminatorNetwork
  private let optimizer: Adam

  /// - Parameters:
  ///   - imageShape: `[C, N, N]` of the images.
  ///   - seed: of the initial weights.
  ///   - device: of the images.
  public init(imageShape: [Int], seed: UInt64, device: Device) throws(TorchError) {
    network = try DiscriminatorNetwork(imageShape: imageShape, generator: Generator(seed: seed))
    try network.move(to: device)
    network.setMode(.training)
    optimizer = try Adam(network, learningRate: 5e-4, betas: (0.5, 0.99))
  }

  public func losses(of step: LevelStep) throws -> Tensor {
    let samples = step.candidates.samples
    guard step.output.level == step.levels - 1 else { return try .zeros([samples], device: step.candidates.device) }
    let images = try step.output.imagesPerSample()
    let goal = try step.target.sized(height: images.shape[2], width: images.shape[3])
    let drawn = try images.detached()
    let direction = try gradient(at: drawn)  // [B, C, H, W]
    try learn(drawn, goal)
    let scaled = try withoutGradients { () throws(TorchError) in
      let ofPixels = try ((drawn - goal) * (2 / Double(drawn.count / samples))).squared().sum().squareRoot()
      return try direction * (ofPixels / (direction.squared().sum().squareRoot() + 1e-12))
    }
    let products = try (scaled * images).sum([1, 2, 3])
    return try products - products.detached()  // The gradient without the value.
  }

  public func beginStep() throws { try optimizer.clearGradients() }

  /// The gradient of the images' negative scores; the network's parameters get none.
  private func gradient(at images: Tensor) throws(TorchError) -> Tensor {
    let parameters = network.namedParameters().map(\.parameter.tensor)
    for parameter in parameters { try parameter.setRequiresGradient(false) }
    defer { for parameter in parameters { try? parameter.setRequiresGradient(true) } }
    let leaf = try images.cloned()
    try leaf.setRequiresGradient(true)
    try (network(leaf).sum() * -1).backward()
    return try leaf.gradient()!
  }

  /// Adds the gradients of the hinge loss, which `finishStep` descends.
  private func learn(_ drawn: Tensor, _ goal: Tensor) throws(TorchError) {
    func hinge(_ scores: Tensor, _ sign: Double) throws(TorchError) -> Tensor {
      try (scores * -sign + 1).clamped(0...Double.infinity).mean()
    }
    try (hinge(network(goal), 1) + hinge(network(drawn), -1)).backward()
  }

  public func finishStep() throws { try optimizer.step() }

  public var state: [String: Tensor] {
    var state = optimizer.state()
    for (name, tensor) in network.state() { state["network/\(name)"] = tensor }
    return state
  }
}

/// `[B, C, N, N]` to `[B]`: convolutions that halve the side until it is 4 or odd, and a mean of scores.
private final class DiscriminatorNetwork: Module {
  let convolutions: [Convolution]
  let head: Convolution

  init(imageShape: [Int], generator: Generator) throws(TorchError) {
    var (channels, side) = (imageShape[0], imageShape[1])
    var convolutions: [Convolution] = []
    while side > 4, side % 2 == 0 {
      let outputs = min(32 << convolutions.count, 128)
      convolutions.append(
        try Convolution(channels, outputs, kernel: 4, stride: 2, padding: 1, generator: generator))
      (channels, side) = (outputs, side / 2)
    }
    self.convolutions = convolutions
    head = try Convolution(channels, 1, kernel: 3, padding: 1, generator: generator)
  }

  func callAsFunction(_ images: Tensor) throws(TorchError) -> Tensor {
    var features = images
    for convolution in convolutions { features = try convolution(features).silu() }
    return try head(features).mean([1, 2, 3])
  }
}
