import Torch

// Operators of classifiers.

extension Tensor {
  private static let geluOperator = Operator("aten::gelu")
  private static let poolOperator = Operator("aten::max_pool2d")
  private static let maximumOperator = Operator("aten::amax")
  private static let rootOperator = Operator("aten::sqrt")
  private static let contiguousOperator = Operator("aten::contiguous")
  private static let channelsLast = 2  // c10::MemoryFormat

  func gelu() throws(TorchError) -> Tensor { try Tensor.geluOperator.tensor(.tensor(self)) }

  func squareRoot() throws(TorchError) -> Tensor { try Tensor.rootOperator.tensor(.tensor(self)) }

  /// Maxima of 2 x 2 pixels.
  func pooled() throws(TorchError) -> Tensor { try Tensor.poolOperator.tensor(.tensor(self), .ints([2, 2])) }

  /// `[B, F, H, W]` to `[B, F]`.
  func maximumOverPixels() throws(TorchError) -> Tensor {
    try Tensor.maximumOperator.tensor(.tensor(self), .ints([2, 3]))
  }

  /// The same `[B, C, H, W]` with channels adjacent in memory, which convolutions on CPUs prefer.
  func inChannelsLast() throws(TorchError) -> Tensor {
    try Tensor.contiguousOperator.tensor(.tensor(self), .int(Tensor.channelsLast))
  }
}
