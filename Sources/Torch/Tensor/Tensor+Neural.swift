// The operators of neural networks. NCHW images, PyTorch's weight order.

extension Tensor {
  private static let convolutionOperator = Operator("aten::conv2d")
  private static let transposeConvolutionOperator = Operator("aten::conv_transpose2d", "input")
  private static let linearOperator = Operator("aten::linear")
  private static let layerNormOperator = Operator("aten::layer_norm")
  private static let groupNormOperator = Operator("aten::group_norm")
  private static let siluOperator = Operator("aten::silu")
  private static let bilinearOperator = Operator("aten::upsample_bilinear2d")
  private static let nearestOperator = Operator("aten::upsample_nearest2d")
  private static let geluOperator = Operator("aten::gelu")
  private static let logSoftmaxOperator = Operator("aten::log_softmax", "int")
  private static let softmaxOperator = Operator("aten::softmax", "int")
  private static let maxPoolOperator = Operator("aten::max_pool2d")
  private static let areaOperator = Operator("aten::_adaptive_avg_pool2d")

  /// `[B, in, H, W]` and `[out, in, k, k]` to `[B, out, H', W']`.
  public func convolved(
    _ weight: Tensor, bias: Tensor?, stride: Int = 1, padding: Int = 0
  ) throws(TorchError) -> Tensor {
    try convolved(weight, bias: bias, strides: [stride, stride], paddings: [padding, padding])
  }

  /// A convolution whose strides and paddings differ between height and width.
  public func convolved(
    _ weight: Tensor, bias: Tensor?, strides: [Int], paddings: [Int]
  ) throws(TorchError) -> Tensor {
    try Tensor.convolutionOperator.tensor(
      .tensor(self), .tensor(weight), .optional(bias), .ints(strides), .ints(paddings))
  }

  /// The transpose of a convolution: `[B, in, H, W]` and `[in, out, k, k]` to `[B, out, H', W']`.
  public func transposeConvolved(
    _ weight: Tensor, bias: Tensor?, stride: Int = 1, padding: Int = 0
  ) throws(TorchError) -> Tensor {
    try Tensor.transposeConvolutionOperator.tensor(
      .tensor(self), .tensor(weight), .optional(bias), .ints([stride, stride]), .ints([padding, padding]))
  }

  /// `[..., in]` and `[out, in]` to `[..., out]`.
  public func linear(_ weight: Tensor, bias: Tensor?) throws(TorchError) -> Tensor {
    try Tensor.linearOperator.tensor(.tensor(self), .tensor(weight), .optional(bias))
  }

  /// Normalizes over the last dimensions, which have the shape of `weight` and `bias`.
  public func layerNormalized(weight: Tensor, bias: Tensor, epsilon: Double) throws(TorchError) -> Tensor {
    try Tensor.layerNormOperator.tensor(
      .tensor(self), .ints(weight.shape), .tensor(weight), .tensor(bias), .double(epsilon))
  }

  /// Normalizes `[B, C, ...]` over groups of consecutive channels.
  public func groupNormalized(
    groups: Int, weight: Tensor, bias: Tensor, epsilon: Double
  ) throws(TorchError) -> Tensor {
    try Tensor.groupNormOperator.tensor(
      .tensor(self), .int(groups), .tensor(weight), .tensor(bias), .double(epsilon))
  }

  /// x * sigmoid(x).
  public func silu() throws(TorchError) -> Tensor { try Tensor.siluOperator.tensor(.tensor(self)) }

  public func gelu() throws(TorchError) -> Tensor { try Tensor.geluOperator.tensor(.tensor(self)) }

  /// Logarithms of probabilities from unnormalized ones along a dimension.
  public func logSoftmax(_ dimension: Int) throws(TorchError) -> Tensor {
    try Tensor.logSoftmaxOperator.tensor(.tensor(self), .int(dimension))
  }

  /// Probabilities from unnormalized logarithms along a dimension.
  public func softmax(_ dimension: Int) throws(TorchError) -> Tensor {
    try Tensor.softmaxOperator.tensor(.tensor(self), .int(dimension))
  }

  /// The maxima of windows of `size` pixels, `stride` apart.
  public func maxPooled(_ size: Int, stride: Int, padding: Int = 0) throws(TorchError) -> Tensor {
    try Tensor.maxPoolOperator.tensor(
      .tensor(self), .ints([size, size]), .ints([stride, stride]), .ints([padding, padding]))
  }

  /// Images resized by repeating or skipping pixels.
  public func resizedNearest(height: Int, width: Int) throws(TorchError) -> Tensor {
    try Tensor.nearestOperator.tensor(.tensor(self), .ints([height, width]))
  }

  /// Images resized by bilinear interpolation with half-pixel centers, without antialiasing.
  public func resizedBilinear(height: Int, width: Int) throws(TorchError) -> Tensor {
    try Tensor.bilinearOperator.tensor(.tensor(self), .ints([height, width]), .bool(false))
  }

  /// Images of twice the height and width, every pixel repeated.
  public func pixelsDoubled() throws(TorchError) -> Tensor {
    let shape = shape  // [B, C, H, W]
    return try resizedNearest(height: 2 * shape[2], width: 2 * shape[3])
  }

  /// Images resized by averaging: each output is the mean of the inputs that it covers; upsampling repeats inputs.
  public func resizedArea(height: Int, width: Int) throws(TorchError) -> Tensor {
    try Tensor.areaOperator.tensor(.tensor(self), .ints([height, width]))
  }
}
