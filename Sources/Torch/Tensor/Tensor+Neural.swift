// What neural networks are made of. NCHW images, PyTorch's weight order.

extension Tensor {
  private static let convolutionOperator = Operator("aten::conv2d")
  private static let transposeConvolutionOperator = Operator("aten::conv_transpose2d", "input")
  private static let halvingOperator = Operator("ddn::halve")
  private static let doublingOperator = Operator("ddn::double")
  private static let linearOperator = Operator("aten::linear")
  private static let layerNormOperator = Operator("aten::layer_norm")
  private static let groupNormOperator = Operator("aten::group_norm")
  private static let siluOperator = Operator("aten::silu")
  private static let unitOperator = Operator("ddn::unit")
  private static let bilinearOperator = Operator("aten::upsample_bilinear2d")
  private static let nearestOperator = Operator("aten::upsample_nearest2d")
  private static let areaOperator = Operator("aten::_adaptive_avg_pool2d")

  /// `[B, in, H, W]` and `[out, in, k, k]` to `[B, out, H', W']`.
  ///
  /// What halves an image with a 4x4 kernel has an operator of its own; see `Sources/CTorchShim/resampling.cpp`.
  public func convolved(
    _ weight: Tensor, bias: Tensor?, stride: Int = 1, padding: Int = 0
  ) throws(TorchError) -> Tensor {
    if let bias, Tensor.isResampling(weight, stride, padding) {
      return try Tensor.halvingOperator.tensor(.tensor(self), .tensor(weight), .tensor(bias))
    }
    return try Tensor.convolutionOperator.tensor(
      .tensor(self), .tensor(weight), .optional(bias), .ints([stride, stride]), .ints([padding, padding]))
  }

  /// The transpose of a convolution: `[B, in, H, W]` and `[in, out, k, k]` to `[B, out, H', W']`.
  public func transposeConvolved(
    _ weight: Tensor, bias: Tensor?, stride: Int = 1, padding: Int = 0
  ) throws(TorchError) -> Tensor {
    if let bias, Tensor.isResampling(weight, stride, padding) {
      return try Tensor.doublingOperator.tensor(.tensor(self), .tensor(weight), .tensor(bias))
    }
    return try Tensor.transposeConvolutionOperator.tensor(
      .tensor(self), .tensor(weight), .optional(bias), .ints([stride, stride]), .ints([padding, padding]))
  }

  private static func isResampling(_ weight: Tensor, _ stride: Int, _ padding: Int) -> Bool {
    stride == 2 && padding == 1 && weight.shape.suffix(2) == [4, 4]
  }

  /// `[..., in]` and `[out, in]` to `[..., out]`.
  public func linear(_ weight: Tensor, bias: Tensor?) throws(TorchError) -> Tensor {
    try Tensor.linearOperator.tensor(.tensor(self), .tensor(weight), .optional(bias))
  }

  /// Normalises over the last dimensions, which have the shape of `weight` and `bias`.
  public func layerNormalized(weight: Tensor, bias: Tensor, epsilon: Double) throws(TorchError) -> Tensor {
    try Tensor.layerNormOperator.tensor(
      .tensor(self), .ints(weight.shape), .tensor(weight), .tensor(bias), .double(epsilon))
  }

  /// Normalises `[B, C, ...]` over groups of neighbouring channels.
  public func groupNormalized(
    groups: Int, weight: Tensor, bias: Tensor, epsilon: Double
  ) throws(TorchError) -> Tensor {
    try Tensor.groupNormOperator.tensor(
      .tensor(self), .int(groups), .tensor(weight), .tensor(bias), .double(epsilon))
  }

  /// Layer norm, then a 3x3 convolution with padding 1, then SiLU: `[B, in, H, W]` to `[B, out, H, W]`.
  ///
  /// The same as the three one after the other, in one pass on a CPU; see `Sources/CTorchShim/unit.cpp`.
  ///
  /// - Parameters:
  ///   - scale: the norm's weight, `[in, H, W]`.
  ///   - shift: the norm's bias, `[in, H, W]`.
  ///   - weight: `[out, in, 3, 3]`.
  ///   - bias: `[out]`.
  ///   - epsilon: added to the variance.
  public func normConvolutionSilu(
    scale: Tensor, shift: Tensor, weight: Tensor, bias: Tensor, epsilon: Double
  ) throws(TorchError) -> Tensor {
    try Tensor.unitOperator.tensor(
      .tensor(self), .tensor(scale), .tensor(shift), .tensor(weight), .tensor(bias), .double(epsilon))
  }

  /// x * sigmoid(x).
  public func silu() throws(TorchError) -> Tensor { try Tensor.siluOperator.tensor(.tensor(self)) }

  /// Images resized by bilinear interpolation with half-pixel centres, without smoothing first.
  public func resizedBilinear(height: Int, width: Int) throws(TorchError) -> Tensor {
    try Tensor.bilinearOperator.tensor(.tensor(self), .ints([height, width]), .bool(false))
  }

  /// Images of twice the height and width, every pixel repeated.
  public func pixelsDoubled() throws(TorchError) -> Tensor {
    let shape = shape  // [B, C, H, W]
    return try Tensor.nearestOperator.tensor(.tensor(self), .ints([2 * shape[2], 2 * shape[3]]))
  }

  /// Images resized by averaging: output i is the mean of the inputs that it covers; larger outputs repeat inputs.
  public func resizedArea(height: Int, width: Int) throws(TorchError) -> Tensor {
    try Tensor.areaOperator.tensor(.tensor(self), .ints([height, width]))
  }
}
