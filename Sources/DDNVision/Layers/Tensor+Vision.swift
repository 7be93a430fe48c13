import Torch

// Operators of networks that read images.

extension Tensor {
  private static let reluOperator = Operator("aten::relu")
  private static let reluInPlaceOperator = Operator("aten::relu_")
  private static let averagePoolOperator = Operator("aten::avg_pool2d")
  private static let contiguousOperator = Operator("aten::contiguous")
  /// libtorch's number of the memory format.
  private static let channelsLast = 2
  private static let sigmoidOperator = Operator("aten::sigmoid")
  private static let bicubicOperator = Operator("aten::upsample_bicubic2d")
  private static let attentionOperator = Operator("aten::scaled_dot_product_attention")

  func relu() throws(TorchError) -> Tensor { try Tensor.reluOperator.tensor(.tensor(self)) }

  /// Overwrites a fresh tensor, which saves a pass over the memory.
  func reluInPlace() throws(TorchError) -> Tensor { try Tensor.reluInPlaceOperator.tensor(.tensor(self)) }

  /// The means of windows of `size` pixels around every pixel, an odd number; pixels outside the image do not count.
  func averagePooledWithoutPadding(_ size: Int) throws(TorchError) -> Tensor {
    let padding = size / 2
    return try Tensor.averagePoolOperator.tensor(
      .tensor(self), .ints([size, size]), .ints([1, 1]), .ints([padding, padding]), .bool(false), .bool(false))
  }

  /// The same `[B, C, H, W]` with channels adjacent in memory, which convolutions on CPUs prefer.
  package func inChannelsLast() throws(TorchError) -> Tensor {
    try Tensor.contiguousOperator.tensor(.tensor(self), .int(Tensor.channelsLast))
  }

  /// x * sigmoid(1.702 x), which approximates GELU.
  func quickGelu() throws(TorchError) -> Tensor { try self * Tensor.sigmoidOperator.tensor(.tensor(self * 1.702)) }

  /// Images resized by bicubic interpolation with half-pixel centers, without antialiasing.
  func resizedBicubic(height: Int, width: Int) throws(TorchError) -> Tensor {
    try Tensor.bicubicOperator.tensor(.tensor(self), .ints([height, width]), .bool(false))
  }

  /// softmax(Q K' / sqrt(d)) V of `[N, heads, tokens, d]`.
  ///
  /// - Parameters:
  ///   - keys: K.
  ///   - values: V.
  ///   - isCausal: whether a token attends to itself and those before it only.
  func attention(keys: Tensor, values: Tensor, isCausal: Bool) throws(TorchError) -> Tensor {
    try Tensor.attentionOperator.tensor(
      .tensor(self), .tensor(keys), .tensor(values), .none, .double(0), .bool(isCausal))
  }

  /// Rows of length 1: x / (|x| + epsilon) along a dimension.
  func unitLength(_ dimension: Int, epsilon: Double = 0) throws(TorchError) -> Tensor {
    try self / (squared().sum([dimension], keepingDimensions: true).squareRoot() + epsilon)
  }

  /// Applies a function of images to a bounded number of them at a time.
  ///
  /// - Parameters:
  ///   - limit: of pixels at a time, at the size at which the function works; at least one image.
  ///   - size: height and width at which the function works.
  ///   - body: `[n, ...]` to `[n, ...]`.
  func mapChunks(
    pixels limit: Int, size: (height: Int, width: Int), _ body: (Tensor) throws -> Tensor
  ) throws -> Tensor {
    let count = shape[0]
    let most = max(1, limit / (size.height * size.width))
    guard count > most else { return try body(self) }
    return try .concatenate(
      stride(from: 0, to: count, by: most).map { try body(slice(0, $0..<min($0 + most, count))) })
  }
}
