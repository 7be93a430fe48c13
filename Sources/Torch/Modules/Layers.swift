// The layers of the networks, with PyTorch's default initialization: uniform within
// +-1 / sqrt(fan in), biases too; norms at one and zero.

private func uniformParameter(_ shape: [Int], bound: Double, _ generator: Generator) throws(TorchError) -> Parameter {
  let numbers = try Tensor.uniform(shape, generator: generator)  // [0, 1)
  return try Parameter((numbers * (2 * bound)) - bound)
}

/// A 2-D convolution: `[B, in, H, W]` to `[B, out, H', W']`; weight `[out, in, k, k]`.
public final class Convolution: Module {
  public let weight: Parameter
  public let bias: Parameter
  private let stride: Int
  private let padding: Int

  public init(
    _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0, generator: Generator
  ) throws(TorchError) {
    let bound = 1 / Double(inputs * kernel * kernel).squareRoot()
    weight = try uniformParameter([outputs, inputs, kernel, kernel], bound: bound, generator)
    bias = try uniformParameter([outputs], bound: bound, generator)
    self.stride = stride
    self.padding = padding
  }

  /// A convolution with given initial values.
  ///
  /// - Parameters:
  ///   - weight: `[out, in, k, k]`.
  ///   - bias: `[out]`.
  ///   - stride: in pixels.
  ///   - padding: zeros around the input.
  public init(weight: Tensor, bias: Tensor, stride: Int = 1, padding: Int = 0) throws(TorchError) {
    self.weight = try Parameter(weight)
    self.bias = try Parameter(bias)
    self.stride = stride
    self.padding = padding
  }

  public func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    try input.convolved(weight.tensor, bias: bias.tensor, stride: stride, padding: padding)
  }
}

/// The transpose of a convolution: `[B, in, H, W]` to `[B, out, H', W']`; weight `[in, out, k, k]`.
public final class TransposeConvolution: Module {
  public let weight: Parameter
  public let bias: Parameter
  private let stride: Int
  private let padding: Int

  public init(
    _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int, padding: Int, generator: Generator
  ) throws(TorchError) {
    let bound = 1 / Double(outputs * kernel * kernel).squareRoot()  // PyTorch's fan in is the second dimension.
    weight = try uniformParameter([inputs, outputs, kernel, kernel], bound: bound, generator)
    bias = try uniformParameter([outputs], bound: bound, generator)
    self.stride = stride
    self.padding = padding
  }

  public func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    try input.transposeConvolved(weight.tensor, bias: bias.tensor, stride: stride, padding: padding)
  }
}

/// `[..., in]` to `[..., out]`; weight `[out, in]`.
public final class Linear: Module {
  public let weight: Parameter
  public let bias: Parameter

  public init(_ inputs: Int, _ outputs: Int, generator: Generator) throws(TorchError) {
    let bound = 1 / Double(inputs).squareRoot()
    weight = try uniformParameter([outputs, inputs], bound: bound, generator)
    bias = try uniformParameter([outputs], bound: bound, generator)
  }

  /// A linear layer with given initial values.
  ///
  /// - Parameters:
  ///   - weight: `[out, in]`.
  ///   - bias: `[out]`.
  public init(weight: Tensor, bias: Tensor) throws(TorchError) {
    self.weight = try Parameter(weight)
    self.bias = try Parameter(bias)
  }

  public func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    try input.linear(weight.tensor, bias: bias.tensor)
  }
}

/// Normalizes each sample over all of `shape`, with a weight and a bias for every element.
public final class LayerNorm: Module {
  public let weight: Parameter
  public let bias: Parameter
  public let epsilon: Double

  public init(_ shape: [Int], epsilon: Double = 1e-5) throws(TorchError) {
    weight = try Parameter(.full(shape, 1))
    bias = try Parameter(.zeros(shape))
    self.epsilon = epsilon
  }

  public func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    try input.layerNormalized(weight: weight.tensor, bias: bias.tensor, epsilon: epsilon)
  }
}

/// Normalizes each sample over groups of consecutive channels, with a weight and a bias for every channel.
public final class GroupNorm: Module {
  public let weight: Parameter
  public let bias: Parameter
  public let groups: Int
  public let epsilon: Double

  public init(groups: Int, channels: Int, epsilon: Double = 1e-5) throws(TorchError) {
    precondition(channels % groups == 0, "\(channels) channels do not divide into \(groups) groups")
    weight = try Parameter(.full([channels], 1))
    bias = try Parameter(.zeros([channels]))
    self.groups = groups
    self.epsilon = epsilon
  }

  public func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    try input.groupNormalized(groups: groups, weight: weight.tensor, bias: bias.tensor, epsilon: epsilon)
  }
}
