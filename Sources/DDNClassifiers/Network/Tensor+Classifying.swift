import Torch

extension Tensor {
  private static let contiguousOperator = Operator("aten::contiguous")
  private static let channelsLast = 2  // c10::MemoryFormat

  /// The same `[B, C, H, W]` with channels adjacent in memory, which convolutions on CPUs prefer.
  func inChannelsLast() throws(TorchError) -> Tensor {
    try Tensor.contiguousOperator.tensor(.tensor(self), .int(Tensor.channelsLast))
  }
}
