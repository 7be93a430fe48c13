import Torch

/// A small autoencoder of principal components: fewer numbers, from which a network computes all coefficients.
///
/// Encoder and decoder are the first coefficients plus a learned correction that is zero at first, so that training
/// starts from the best linear autoencoder.
///
/// Source: this project's; the idea of a generative model of latents is that of Rombach et al., High-Resolution Image
/// Synthesis with Latent Diffusion Models (2022).
public final class LatentAutoencoder: Module {
  public struct Configuration: Codable, Sendable, Equatable {
    /// N, the numbers of an image.
    public var count: Int
    /// H, the hidden numbers of encoder and decoder.
    public var width: Int

    public init(count: Int, width: Int = 256) {
      self.count = count
      self.width = width
    }

    /// The parameters of an autoencoder of P components.
    func parameterCount(components: Int) -> Int {
      2 * (width * (components + count + 1) + 2 * width + 2 * width * (width + 1) + width * (2 * width + 1) + 2 * width)
        + components + count
    }
  }

  let encoder: Correction
  let decoder: Correction
  /// N.
  let count: Int
  private let components: Int

  private static let steps = 2000
  private static let batch = 256
  private static let learningRate = 1e-3
  /// The standard deviation of the noise on latents in training, in units of coefficients: about the error of a code, so
  /// that the decoder knows latents that are not exact.
  private static let noise = 0.3
  /// More images are not read.
  private static let mostImages = 40_960

  init(_ configuration: Configuration, components: Int, generator: Generator) throws(TorchError) {
    count = configuration.count
    self.components = components
    encoder = try Correction(components, count, width: configuration.width, generator: generator)
    decoder = try Correction(count, components, width: configuration.width, generator: generator)
  }

  /// `[B, P]` to `[B, N]`.
  func encode(_ coefficients: Tensor) throws(TorchError) -> Tensor {
    try coefficients.slice(1, 0..<count) + encoder(coefficients)
  }

  /// `[B, N]` to `[B, P]`.
  func decode(_ latents: Tensor) throws(TorchError) -> Tensor {
    let rest = try Tensor.zeros([latents.shape[0], components - count], device: latents.device)
    return try .concatenate([latents, rest], dimension: 1) + decoder(latents)
  }

  /// Trains encoder and decoder to minimize the squared error of coefficients.
  ///
  /// - Parameters:
  ///   - source: the images.
  ///   - project: `[B, C, H, W]` to coefficients, `[B, P]`.
  ///   - progress: called with the finished share; throwing aborts.
  /// - Throws: what the source and `progress` throw; `TorchError`.
  func fit(
    to source: any EncodingSource, project: (Tensor) throws -> Tensor, progress: (Double) throws -> Void
  ) throws {
    let total = min(source.count, Self.mostImages)
    let coefficients = try withoutGradients {
      var parts: [Tensor] = []
      for range in source.evenRanges(of: total, by: 1024) {
        parts.append(try project(source.images(in: range).images))
        try progress(0.1 * Double(range.upperBound) / Double(source.count))
      }
      return try Tensor.concatenate(parts)
    }
    let modeBefore = mode
    setMode(.training)
    defer { setMode(modeBefore) }
    let generator = try Generator(seed: 0, device: coefficients.device)
    let optimizer = try Adam(self, learningRate: Self.learningRate)
    for step in 0..<Self.steps {
      let rows = try Tensor.integers(in: 0..<coefficients.shape[0], [Self.batch], generator: generator)
      let originals = try coefficients.gathered(rows)
      let latents = try encode(originals)
      let noise = try Tensor.normal(latents.shape, generator: generator) * Self.noise
      let loss = try (decode(latents + noise) - originals).squared().mean()
      try optimizer.clearGradients()
      try loss.backward()
      optimizer.learningRate = Self.learningRate * min(1, 2 * (1 - Double(step) / Double(Self.steps)))
      try optimizer.step()
      if step % 20 == 0 { try progress(0.1 + 0.9 * Double(step) / Double(Self.steps)) }
    }
    try optimizer.clearGradients()
    try progress(1)
  }

  /// A residual network of rows whose output is zero at first.
  final class Correction: Module {
    let input: Linear
    let block: DenseBlock
    let norm: LayerNorm
    let output: Linear

    init(_ inputs: Int, _ outputs: Int, width: Int, generator: Generator) throws(TorchError) {
      input = try Linear(inputs, width, generator: generator)
      block = try DenseBlock(width, generator: generator)
      norm = try LayerNorm([width])
      output = try Linear(weight: .zeros([outputs, width]), bias: .zeros([outputs]))
    }

    func callAsFunction(_ rows: Tensor) throws(TorchError) -> Tensor {
      try output(norm(block(input(rows, in: mode).silu())), in: mode)
    }
  }
}
