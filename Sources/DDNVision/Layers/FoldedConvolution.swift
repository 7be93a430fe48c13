import Torch

/// A convolution for inference, with the batch norm after it folded into its weights.
struct FoldedConvolution {
  /// `[out, in, k, k]`.
  private let weight: Tensor
  /// `[out]`.
  private let bias: Tensor?
  private let stride: Int
  /// Of height and width.
  private let padding: [Int]

  var outputChannels: Int { weight.shape[0] }

  /// - Parameters:
  ///   - reader: has `NAME.weight` and perhaps `NAME.bias`.
  ///   - name: of the convolution.
  ///   - batchNorm: the name of the batch norm after it; nil for none.
  ///   - shape: of the weight; nil allows any size.
  ///   - stride: in pixels.
  ///   - padding: in pixels on every side; nil keeps the image's size.
  ///   - hasBias: whether there is a `NAME.bias`.
  ///   - epsilon: of the batch norm.
  /// - Throws: `FileError` for weights that are missing or have another shape; `TorchError`.
  init(
    _ reader: inout WeightReader, _ name: String, batchNorm: String? = nil, _ shape: [Int?], stride: Int = 1,
    padding: Int? = nil, hasBias: Bool, epsilon: Double = 1e-5
  ) throws {
    let weight = try reader.tensor("\(name).weight", shape)
    let channels = weight.shape[0]
    let bias = try hasBias ? reader.tensor("\(name).bias", [channels]) : nil
    self.stride = stride
    self.padding = weight.shape.dropFirst(2).map { padding ?? $0 / 2 }
    guard let batchNorm else {
      (self.weight, self.bias) = (weight, bias)
      return
    }
    // y = (Wx + b - mean) * scale + shift, in float64.
    func statistics(_ part: String) throws -> Tensor {
      try reader.tensor("\(batchNorm).\(part)", [channels]).to(.float64)
    }
    let deviation = try (statistics("running_var") + epsilon).squareRoot()
    let scale = try statistics("weight") / deviation
    var shift = try statistics("bias") - statistics("running_mean") * scale
    if let bias { shift = try shift + bias.to(.float64) * scale }
    self.weight = try (weight.to(.float64) * scale.reshaped([-1, 1, 1, 1])).to(.float32)
    self.bias = try shift.to(.float32)
  }

  /// `[N, in, H, W]` to `[N, out, H', W']`.
  func callAsFunction(_ images: Tensor) throws(TorchError) -> Tensor {
    try images.convolved(weight, bias: bias, strides: [stride, stride], paddings: padding)
  }
}
