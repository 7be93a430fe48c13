import Torch

/// The block of the pyramid network: two normalised convolutions beside a short cut, at once or twice the resolution.
///
///     hidden = convolution(silu(norm(input)))       doubled before the convolution in a block that goes up
///     hidden = convolution(silu(norm(hidden)))
///     output = (hidden + skip(input)) * scale
///
/// The input is the features of the level before plus, in some channels, its image, its leaked choice and conditions.
///
/// Source: paper, section 3.4 (two convolutions between layers); the original program takes NVIDIA EDM's block without
/// noise embeddings. `OriginalNames` maps its parameter names.
final class ResidualBlock: Module {
  let firstNorm: GroupNorm
  let firstConvolution: Convolution
  let secondNorm: GroupNorm
  let secondConvolution: Convolution
  /// 1x1; nil where the input itself is the short cut: same channels, same resolution.
  let skip: Convolution?

  private let doublesResolution: Bool
  private let scale: Double

  /// A block with the original's initial weights: convolutions uniform by Glorot's rule, the second one's 1e-5 of
  /// that, so that a block starts as little more than its short cut.
  ///
  /// - Parameters:
  ///   - inputs: channels of the input; `groups(channels:)` must divide them.
  ///   - outputs: channels of the output, likewise.
  ///   - doublesResolution: whether the output has twice the input's height and width.
  ///   - scale: keeps the variance of a sum of two independent terms.
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

  /// Groups of a normalisation: of four channels or more, at most 32.
  static func groups(channels: Int) -> Int { min(32, channels / 4) }

  /// `[R, inputs, H, W]` to `[R, outputs, H', W']`, in the type that convolutions compute in.
  ///
  /// - Parameters:
  ///   - features: the level's input, before anything is added to it.
  ///   - addition: what the level before has made and what the network is told, of the features' size.
  func callAsFunction(_ features: Tensor, adding addition: ChannelAddition? = nil) throws(TorchError) -> Tensor {
    var hidden = try Self.convolved(features, addition, firstNorm, firstConvolution, doublesPixels: doublesResolution)
    hidden = try Self.convolved(hidden, nil, secondNorm, secondConvolution)
    var shortcut = try features.adding(addition)
    // Repeating pixels after a 1x1 convolution is the same as before it, and a quarter of the work.
    if let skip { shortcut = try skip(shortcut) }
    if doublesResolution { shortcut = try shortcut.pixelsDoubled() }
    return try (hidden + shortcut.to(hidden.dtype)) * scale
  }

  /// Keeps only its inputs for the backward pass; see `Sources/CTorchShim/Kernels/group_norm_silu_convolution.cpp`.
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
