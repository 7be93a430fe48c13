import Torch

/// 4x4 convolutions with stride 2 and padding 1: half and twice the resolution.
///
/// The same as `convolved` and `transposeConvolved`, by faster kernels on a CPU; see
/// `Sources/CTorchShim/Kernels/convolution_4x4.cpp`.
extension Tensor {
  private static let convolution4x4Down = Operator("ddn::convolution_4x4_down")
  private static let convolution4x4Up = Operator("ddn::convolution_4x4_up")

  /// `[B, in, 2h, 2w]` and `[out, in, 4, 4]` to `[B, out, h, w]`.
  func convolvedDown(_ weight: Tensor, bias: Tensor) throws(TorchError) -> Tensor {
    try Tensor.convolution4x4Down.tensor(.tensor(self), .tensor(weight), .tensor(bias))
  }

  /// The transpose: `[B, in, h, w]` and `[in, out, 4, 4]` to `[B, out, 2h, 2w]`.
  func convolvedUp(_ weight: Tensor, bias: Tensor) throws(TorchError) -> Tensor {
    try Tensor.convolution4x4Up.tensor(.tensor(self), .tensor(weight), .tensor(bias))
  }
}
