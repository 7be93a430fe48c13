import Torch

extension Tensor {
  private static let layerNormConvolutionSilu = Operator("ddn::layer_norm_convolution_silu")

  /// Layer norm, then a 3x3 convolution with padding 1, then SiLU: `[B, in, H, W]` to `[B, out, H, W]`.
  ///
  /// The same as the three in a row, in one pass on a CPU; see
  /// `Sources/CTorchShim/Kernels/layer_norm_convolution_silu.cpp`.
  ///
  /// - Parameters:
  ///   - scale: the norm's weight, `[in, H, W]`.
  ///   - shift: the norm's bias, `[in, H, W]`.
  ///   - weight: `[out, in, 3, 3]`.
  ///   - bias: `[out]`.
  ///   - epsilon: added to the variance.
  func normConvolutionSilu(
    scale: Tensor, shift: Tensor, weight: Tensor, bias: Tensor, epsilon: Double
  ) throws(TorchError) -> Tensor {
    try Tensor.layerNormConvolutionSilu.tensor(
      .tensor(self), .tensor(scale), .tensor(shift), .tensor(weight), .tensor(bias), .double(epsilon))
  }
}
