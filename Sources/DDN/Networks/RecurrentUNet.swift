import Torch

/// The U-Net of `RecurrentNetwork`: computes the nodes' features from the previous level's output.
///
/// Sides 32, 16, 8 and 4 have B, 2B, 4B and 4B channels (B is the base width); skip connections join equal sides.
/// Source: the original MNIST program; `OriginalNames` maps its parameter names.
final class RecurrentUNet: Module {
  /// Frozen class embedding, `[10, 100]`.
  let classTable: Parameter

  // Side 32: the sum of three inputs.
  let imageShift: ClassShift
  let imageEncoder: ConvolutionBlock
  let featureEncoder: ConvolutionBlock
  let leakEncoder: ConvolutionBlock?
  // Down.
  let down32: Convolution
  let shift16: ClassShift
  let encoder16: ConvolutionBlock
  let down16: Convolution
  let shift8: ClassShift
  let encoder8: ConvolutionBlock
  let down8: Convolution
  let shift4: ClassShift
  let middle: ConvolutionBlock
  // Up.
  let up4: TransposeConvolution
  let decoderShift8: ClassShift
  let decoder8: ConvolutionBlock
  let up8: TransposeConvolution
  let decoderShift16: ClassShift
  let decoder16: ConvolutionBlock
  let up16: TransposeConvolution
  let decoderShift32: ClassShift
  let decoder32: ConvolutionBlock
  /// 1x1, to the features that the nodes read; nil when they read the U-Net's own.
  let nodeFeatures: Convolution?

  let layer: DiscreteDistributionLayer

  static let classes = 10
  static let classWidth = 100

  init(_ configuration: RecurrentNetwork.Configuration, generator: Generator) throws(TorchError) {
    let side = RecurrentNetwork.imageSide
    let base = configuration.baseWidth

    func stack(_ side: Int, _ channels: Int...) throws(TorchError) -> ConvolutionBlock {
      try ConvolutionBlock(
        channels, side: side, normsByChannel: configuration.normsByChannel ?? false, generator: generator)
    }
    func shift(_ channels: Int) throws(TorchError) -> ClassShift {
      try ClassShift(RecurrentUNet.classWidth, channels, generator: generator)
    }
    func down(_ channels: Int) throws(TorchError) -> Convolution {
      try Convolution(channels, channels, kernel: 4, stride: 2, padding: 1, generator: generator)
    }
    func up(_ channels: Int) throws(TorchError) -> TransposeConvolution {
      try TransposeConvolution(channels, channels, kernel: 4, stride: 2, padding: 1, generator: generator)
    }

    classTable = try Parameter(
      Tensor(
        PositionalFeatures.sinusoidalTable(positions: RecurrentUNet.classes, channels: RecurrentUNet.classWidth),
        shape: [RecurrentUNet.classes, RecurrentUNet.classWidth]),
      isTrainable: false)

    imageShift = try shift(1)
    imageEncoder = try stack(side, 1, base, base, base)
    featureEncoder = try stack(side, configuration.featureChannels, base, base, base)
    leakEncoder = try configuration.leaksChoice ? stack(side, 1, base, base, base) : nil

    down32 = try down(base)
    shift16 = try shift(base)
    encoder16 = try stack(side / 2, base, 2 * base, 2 * base, 2 * base)
    down16 = try down(2 * base)
    shift8 = try shift(2 * base)
    encoder8 = try stack(side / 4, 2 * base, 4 * base, 4 * base, 4 * base)
    down8 = try down(4 * base)
    shift4 = try shift(4 * base)
    middle = try stack(side / 8, 4 * base, 2 * base, 2 * base, 4 * base)

    up4 = try up(4 * base)
    decoderShift8 = try shift(8 * base)
    decoder8 = try stack(side / 4, 8 * base, 4 * base, 2 * base, 2 * base)
    up8 = try up(2 * base)
    decoderShift16 = try shift(4 * base)
    decoder16 = try stack(side / 2, 4 * base, 2 * base, base, base)
    up16 = try up(base)
    decoderShift32 = try shift(2 * base)
    decoder32 = try stack(side, 2 * base, base, base, base)
    nodeFeatures =
      try configuration.nodeFeatures == nil
      ? nil : Convolution(base, configuration.featureChannels, kernel: 1, generator: generator)

    layer = try DiscreteDistributionLayer(configuration.layer, generator: generator)
  }

  /// Per-channel shifts by class, added before each block.
  struct ClassShifts {
    /// In the order of the U-Net: image, sides 16, 8 and 4, decoders at sides 8, 16 and 32.
    let tensors: [Tensor]
    private static let count = 7

    fileprivate init(_ tensors: [Tensor]) { self.tensors = tensors }

    /// - Parameter tensors: all stacks' shifts, concatenated.
    init(tensors: [Tensor], ofStack stack: Int) {
      self.init(Array(tensors[stack * Self.count..<(stack + 1) * Self.count]))
    }

    fileprivate var image: Tensor { tensors[0] }
    fileprivate var side16: Tensor { tensors[1] }
    fileprivate var side8: Tensor { tensors[2] }
    fileprivate var side4: Tensor { tensors[3] }
    fileprivate var decoder8: Tensor { tensors[4] }
    fileprivate var decoder16: Tensor { tensors[5] }
    fileprivate var decoder32: Tensor { tensors[6] }

    /// Gathers rows: `[classes, C, 1, 1]` to `[R, C, 1, 1]`.
    ///
    /// - Parameter classOfRow: `[R]` int64, or `[1]` for one class in all rows.
    func ofRows(_ classOfRow: Tensor) throws(TorchError) -> ClassShifts {
      var rows: [Tensor] = []
      for shifts in tensors { rows.append(try shifts.gathered(classOfRow)) }
      return ClassShifts(rows)
    }
  }

  /// Every class's shifts, `[classes, C, 1, 1]`; shared by all repeats.
  func classShifts() throws(TorchError) -> ClassShifts {
    let classes = classTable.tensor
    var shifts: [Tensor] = []
    for shift in [imageShift, shift16, shift8, shift4, decoderShift8, decoderShift16, decoderShift32] {
      shifts.append(try shift(classes))
    }
    return ClassShifts(shifts)
  }

  /// One repeat up to the nodes.
  ///
  /// - Parameters:
  ///   - image: `[R, 1, 32, 32]`, the previous level's chosen images.
  ///   - features: `[R, featureChannels, 32, 32]`, the previous level's features.
  ///   - leakedChoice: `[R, 1, 32, 32]`, the previous level's leaked choice; unused without leak choice.
  ///   - shifts: each row's class shifts.
  /// - Returns: `[R, featureChannels, 32, 32]`.
  func callAsFunction(
    image: Tensor, features: Tensor, leakedChoice: Tensor, shifts: ClassShifts
  ) throws(TorchError) -> Tensor {
    var input = try imageEncoder(image + shifts.image) + featureEncoder(features)
    if let leakEncoder { input = try input + leakEncoder(leakedChoice) }  // [R, B, 32, 32]

    let half = try encoder16(downsampled(input, down32) + shifts.side16)  // [R, 2B, 16, 16]
    let quarter = try encoder8(downsampled(half, down16) + shifts.side8)  // [R, 4B, 8, 8]
    let bottom = try middle(downsampled(quarter, down8) + shifts.side4)  // [R, 4B, 4, 4]

    func join(_ skip: Tensor, _ below: Tensor) throws(TorchError) -> Tensor {
      try .concatenate([skip, below], dimension: 1)
    }
    var output = try decoder8(join(quarter, upsampled(bottom, up4)) + shifts.decoder8)  // [R, 2B, 8, 8]
    output = try decoder16(join(half, upsampled(output, up8)) + shifts.decoder16)  // [R, B, 16, 16]
    output = try decoder32(join(input, upsampled(output, up16)) + shifts.decoder32)  // [R, B, 32, 32]
    guard let nodeFeatures else { return output }
    return try nodeFeatures(output)  // [R, featureChannels, 32, 32]
  }

  private func downsampled(_ input: Tensor, _ convolution: Convolution) throws(TorchError) -> Tensor {
    try input.convolvedDown(convolution.weight.tensor, bias: convolution.bias.tensor)
  }

  private func upsampled(_ input: Tensor, _ convolution: TransposeConvolution) throws(TorchError) -> Tensor {
    try input.convolvedUp(convolution.weight.tensor, bias: convolution.bias.tensor)
  }
}

/// Three units in sequence, each a layer norm, a 3x3 convolution and SiLU.
final class ConvolutionBlock: Module {
  /// The norm is over channels, height and width.
  final class Unit: Module {
    let norm: LayerNorm
    let convolution: Convolution

    private let shape: [Int]

    init(
      _ inputs: Int, _ outputs: Int, side: Int, normsByChannel: Bool, generator: Generator
    ) throws(TorchError) {
      shape = [inputs, side, side]
      norm = try LayerNorm(normsByChannel ? [inputs, 1, 1] : shape)
      convolution = try Convolution(inputs, outputs, kernel: 3, padding: 1, generator: generator)
    }

    /// `convolution(norm(input)).silu()` as one operator.
    func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
      try input.normConvolutionSilu(
        scale: affine(norm.weight), shift: affine(norm.bias), weight: convolution.weight.tensor,
        bias: convolution.bias.tensor, epsilon: norm.epsilon)
    }

    /// A number for every pixel.
    private func affine(_ parameter: Parameter) throws(TorchError) -> Tensor {
      parameter.tensor.shape == shape ? parameter.tensor : try parameter.tensor.expanded(shape).contiguous()
    }
  }

  let units: [Unit]

  /// - Parameter channels: the input's, then every unit's output's.
  init(_ channels: [Int], side: Int, normsByChannel: Bool, generator: Generator) throws(TorchError) {
    var units: [Unit] = []
    for (inputs, outputs) in zip(channels, channels.dropFirst()) {
      units.append(try Unit(inputs, outputs, side: side, normsByChannel: normsByChannel, generator: generator))
    }
    self.units = units
  }

  func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    var output = input
    for unit in units { output = try unit(output) }
    return output
  }
}

/// A per-channel shift from a class embedding, by a two-layer MLP.
final class ClassShift: Module {
  let first: Linear
  let second: Linear

  init(_ classWidth: Int, _ channels: Int, generator: Generator) throws(TorchError) {
    first = try Linear(classWidth, channels, generator: generator)
    second = try Linear(channels, channels, generator: generator)
  }

  /// `[classes, width]` to `[classes, C, 1, 1]`.
  func callAsFunction(_ classTable: Tensor) throws(TorchError) -> Tensor {
    let shifts = try second(first(classTable).silu())
    return try shifts.reshaped(shifts.shape + [1, 1])
  }
}
