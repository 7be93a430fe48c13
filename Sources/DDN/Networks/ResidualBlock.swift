import Torch

/// The pyramid's residual block: two normalised convolutions and a skip connection, at the same or twice the
/// resolution.
///
///     hidden = convolution(silu(norm(input)))       upsampled before the convolution in an up block
///     hidden = convolution(silu(norm(hidden)))
///     output = (hidden + skip(input)) * scale
///
/// The input is the previous level's features with its image, its leaked choice and conditions added to some channels.
///
/// Source: paper, section 3.4 (two convolutions between layers); the original program uses NVIDIA EDM's block without
/// noise embeddings. `OriginalNames` maps its parameter names.
final class ResidualBlock: Module {
  let firstNorm: GroupNorm
  let firstConvolution: Convolution
  let secondNorm: GroupNorm
  let secondConvolution: Convolution
  /// 1x1; nil for an identity skip: same channels, same resolution.
  let skip: Convolution?

  private let doublesResolution: Bool
  private let scale: Double

  /// A block with the original's initial weights: Glorot uniform convolutions, the second scaled by 1e-5, so that the
  /// block starts near its skip connection.
  ///
  /// - Parameters:
  ///   - inputs: channels of the input; `groups(channels:)` must divide them.
  ///   - outputs: channels of the output, likewise.
  ///   - doublesResolution: whether the output has twice the input's height and width.
  ///   - scale: factor of the sum; the default preserves variance.
  init(
    _ inputs: Int, _ outputs: Int, doublesResolution: Bool, epsilon: Double = 1e-6, scale: Double = 0.5.squareRoot(),
    generator: Generator
  ) throws(TorchError) {
    func convolution(
      _ inputs: Int, _ outputs: Int, kernel: Int, scale: Double = 1
    ) throws(TorchError) -> Convolution {
      let bound = scale * (6 / Double((inputs + outputs) * kernel * kernel)).squareRoot()
      let numbers = try Tensor.uniform([outputs, inputs, kernel, kernel], generator: generator)  // [0, 1)
      return try Convolution(
        weight: numbers * (2 * bound) - bound, bias: .zeros([outputs], device: generator.device), padding: kernel / 2)
    }
    firstNorm = try GroupNorm(groups: Self.groups(channels: inputs), channels: inputs, epsilon: epsilon)
    firstConvolution = try convolution(inputs, outputs, kernel: 3)
    secondNorm = try GroupNorm(groups: Self.groups(channels: outputs), channels: outputs, epsilon: epsilon)
    secondConvolution = try convolution(outputs, outputs, kernel: 3, scale: 1e-5)
    skip = try doublesResolution || inputs != outputs ? convolution(inputs, outputs, kernel: 1) : nil
    self.doublesResolution = doublesResolution
    self.scale = scale
  }

  /// Groups of a group norm: at least 4 channels each, at most 32 groups.
  static func groups(channels: Int) -> Int { min(32, channels / 4) }

  /// `[R, inputs, H, W]` to `[R, outputs, H', W']`, in the dtype of convolutions.
  ///
  /// - Parameters:
  ///   - features: the previous level's features.
  ///   - addition: the previous level's image, leaked choice and conditions, of the features' size.
  func callAsFunction(_ features: Tensor, adding addition: ChannelAddition? = nil) throws(TorchError) -> Tensor {
    var hidden = try Self.convolved(features, addition, firstNorm, firstConvolution, doublesPixels: doublesResolution)
    hidden = try Self.convolved(hidden, nil, secondNorm, secondConvolution)
    var shortcut = try features.adding(addition)
    // Upsampling commutes with a 1x1 convolution; upsampling last is a quarter of the work.
    if let skip { shortcut = try skip(shortcut) }
    if doublesResolution { shortcut = try shortcut.pixelsDoubled() }
    return try (hidden + shortcut.to(hidden.dtype)) * scale
  }

  /// Saves only its inputs for the backward pass; see `Sources/CTorchShim/Kernels/group_norm_silu_convolution.cpp`.
  private static let normSiluConvolution = Operator("ddn::group_norm_silu_convolution")

  /// `convolution(silu(norm(features + addition)))`.
  static func convolved(
    _ features: Tensor, _ addition: ChannelAddition?, _ norm: GroupNorm, _ convolution: Convolution,
    doublesPixels: Bool = false
  ) throws(TorchError) -> Tensor {
    try normSiluConvolution.tensor(
      .tensor(features), .optional(addition?.tensor), .ints(addition?.channels ?? []), .tensor(norm.weight.tensor),
      .tensor(norm.bias.tensor), .int(norm.groups), .double(norm.epsilon), .tensor(convolution.weight.tensor),
      .tensor(convolution.bias.tensor), .bool(doublesPixels))
  }
}
