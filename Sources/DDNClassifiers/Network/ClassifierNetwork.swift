import Torch

/// The trainable form of a `ResidualClassifier`: batch norms are separate from the convolutions.
///
/// A frozen whitening of 2 x 2 patches; blocks of convolution, max pooling, norm, GELU and a residual convolution; the
/// maximum over pixels; a linear layer.
///
/// - Source: the "airbench" networks (Keller Jordan, 2024) with a ResNet's residual blocks; smaller.
final class ClassifierNetwork: Module {
  let stem: Whitening
  let blocks: [ClassifierBlock]
  /// `[classes, features]`.
  let head: Parameter
  /// Keeps logits small at first.
  static let headScale = 0.125

  /// - Parameters:
  ///   - configuration: a valid one.
  ///   - images: `[N, C, H, W]` in [-1, 1], whose patches the stem whitens.
  ///   - generator: of the initial weights.
  init(_ configuration: ClassifierConfiguration, whitening images: Tensor, generator: Generator) throws {
    stem = try Whitening(images, kernel: ClassifierConfiguration.stemKernel)
    var (blocks, inputs): ([ClassifierBlock], Int) = ([], configuration.stemChannels)
    for outputs in configuration.blockChannels {
      blocks.append(try ClassifierBlock(inputs, outputs, generator: generator))
      inputs = outputs
    }
    self.blocks = blocks
    head = try Parameter(initialWeights([configuration.classes, inputs], generator))
  }

  /// `[B, C, side, side]` in [-1, 1] to `[B, classes]`; updates the norms' running statistics.
  func callAsFunction(_ images: Tensor) throws(TorchError) -> Tensor {
    var features = try stem(images).gelu()
    for block in blocks { features = try block(features) }
    return try features.maximum([2, 3]).linear(head.tensor, bias: nil) * Self.headScale
  }
}

/// `[B, in, H, W]` to `[B, out, H / 2, W / 2]`.
final class ClassifierBlock: Module {
  /// `[out, in, 3, 3]`.
  let weight: Parameter
  let norm: BatchNorm
  /// `[out, out, 3, 3]`.
  let residualWeight: Parameter
  let residualNorm: BatchNorm

  init(_ inputs: Int, _ outputs: Int, generator: Generator) throws(TorchError) {
    weight = try Parameter(initialWeights([outputs, inputs, 3, 3], generator))
    norm = try BatchNorm(outputs)
    residualWeight = try Parameter(initialWeights([outputs, outputs, 3, 3], generator))
    residualNorm = try BatchNorm(outputs)
  }

  func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    let features = try norm(input.convolved(weight.tensor, bias: nil, padding: 1).maxPooled(2, stride: 2)).gelu()
    return try features + residualNorm(features.convolved(residualWeight.tensor, bias: nil, padding: 1)).gelu()
  }
}

/// Normalizes each channel over the batch to variance 1 and a learned mean, and tracks the statistics.
///
/// Without a learned scale, so that it stays positive and norm and max pooling commute.
final class BatchNorm: Module {
  private static let normOperator = Operator("aten::batch_norm")
  static let epsilon = 1e-5
  /// Weight of a new batch's statistics.
  private static let momentum = 0.1

  let bias: Parameter
  let runningMean: Parameter
  let runningVariance: Parameter
  private let scale: Tensor

  init(_ channels: Int) throws(TorchError) {
    bias = try Parameter(.zeros([channels]))
    runningMean = try Parameter(.zeros([channels]), isTrainable: false)
    runningVariance = try Parameter(.full([channels], 1), isTrainable: false)
    scale = try .full([channels], 1)
  }

  func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    try BatchNorm.normOperator.tensor(
      .tensor(input), .tensor(scale.to(input.device)), .tensor(bias.tensor), .tensor(runningMean.tensor),
      .tensor(runningVariance.tensor), .bool(true), .double(BatchNorm.momentum), .double(BatchNorm.epsilon),
      .bool(true))
  }
}

/// A frozen convolution whose outputs are uncorrelated over patches of natural images, each with both signs.
final class Whitening: Module {
  private static let patchesOperator = Operator("aten::im2col")

  /// `[2 * C * k * k, C, k, k]`.
  let weight: Parameter
  let bias: Parameter

  init(_ images: Tensor, kernel: Int) throws {
    let channels = images.shape[1]
    let size = channels * kernel * kernel
    let patches = try Whitening.patchesOperator.tensor(
      .tensor(images.to(.float64)), .ints([kernel, kernel]), .ints([1, 1]), .ints([0, 0]), .ints([1, 1])
    ).transposed(1, 2).reshaped([-1, size])  // [n, size]
    let mean = try patches.mean([0])
    let centered = try patches - mean
    let covariance = try centered.transposed(0, 1).matmul(centered) * (1 / Double(centered.shape[0]))
    let (values, vectors) = try covariance.symmetricEigen()
    // A floor for components that hardly vary, such as those that JPEG removes.
    let floor = try values.mean().item() * 5e-4 + 1e-6
    let rows = try vectors.transposed(0, 1) / (values + floor).squareRoot().reshaped([size, 1])
    let both = try Tensor.concatenate([rows, rows * -1])  // [2 * size, size]
    bias = try Parameter(try (both.matmul(mean.reshaped([size, 1])) * -1).reshaped([-1]).to(.float32))
    weight = try Parameter(
      try both.to(.float32).reshaped([2 * size, channels, kernel, kernel]).contiguous(), isTrainable: false)
  }

  func callAsFunction(_ images: Tensor) throws(TorchError) -> Tensor {
    try images.convolved(weight.tensor, bias: bias.tensor)
  }
}

/// Uniform within +-1 / sqrt(fan in), as PyTorch's.
private func initialWeights(_ shape: [Int], _ generator: Generator) throws(TorchError) -> Tensor {
  let bound = 1 / Double(shape[1...].reduce(1, *)).squareRoot()
  return try Tensor.uniform(shape, generator: generator) * (2 * bound) - bound
}
