import Torch

/// One step of a branch.
enum InceptionStep {
  /// With batch norm and ReLU.
  case convolution(FoldedConvolution)
  /// 3x3 means that leave out the padding.
  case average
  /// 3x3 maxima; padded where the stride is 1.
  case maximum(stride: Int)
  /// Two convolutions of the same input, concatenated.
  case fork(FoldedConvolution, FoldedConvolution)

  /// TensorFlow's default; torchvision's is 1e-5.
  private static let epsilon = 1e-3

  static func convolution(
    _ reader: inout WeightReader, _ name: String, _ inputs: Int, _ outputs: Int, _ kernel: [Int] = [3, 3],
    stride: Int = 1, padding: Int? = nil
  ) throws -> InceptionStep {
    .convolution(try folded(&reader, name, inputs, outputs, kernel, stride: stride, padding: padding))
  }

  static func fork(
    _ reader: inout WeightReader, _ name: String, _ channels: Int
  ) throws -> InceptionStep {
    .fork(
      try folded(&reader, "\(name)a", channels, channels, [1, 3]),
      try folded(&reader, "\(name)b", channels, channels, [3, 1]))
  }

  private static func folded(
    _ reader: inout WeightReader, _ name: String, _ inputs: Int, _ outputs: Int, _ kernel: [Int], stride: Int = 1,
    padding: Int? = nil
  ) throws -> FoldedConvolution {
    try FoldedConvolution(
      &reader, "\(name).conv", batchNorm: "\(name).bn", [outputs, inputs] + kernel, stride: stride, padding: padding,
      hasBias: false, epsilon: epsilon)
  }

  func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    switch self {
    case .convolution(let convolution): try convolution(input).reluInPlace()
    case .average: try input.averagePooledWithoutPadding(3)
    case .maximum(let stride): try input.maxPooled(3, stride: stride, padding: stride == 1 ? 1 : 0)
    case .fork(let first, let second):
      try .concatenate([first(input).reluInPlace(), second(input).reluInPlace()], dimension: 1)
    }
  }
}

/// Branches that read the same features, their outputs concatenated by channel.
struct InceptionBlock {
  private let branches: [[InceptionStep]]

  func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    var outputs: [Tensor] = []
    for branch in branches {
      var features = input
      for step in branch { features = try step(features) }
      outputs.append(features)
    }
    return try .concatenate(outputs, dimension: 1)
  }
}

extension InceptionBlock {
  /// 35 x 35 pixels.
  static func fine(
    _ reader: inout WeightReader, _ name: String, _ inputs: Int, pooled: Int
  ) throws -> InceptionBlock {
    InceptionBlock(branches: [
      [try .convolution(&reader, "\(name).branch1x1", inputs, 64, [1, 1])],
      [
        try .convolution(&reader, "\(name).branch5x5_1", inputs, 48, [1, 1]),
        try .convolution(&reader, "\(name).branch5x5_2", 48, 64, [5, 5]),
      ],
      try double(&reader, name, inputs),
      [.average, try .convolution(&reader, "\(name).branch_pool", inputs, pooled, [1, 1])],
    ])
  }

  /// To 17 x 17 pixels.
  static func firstReduction(_ reader: inout WeightReader, _ name: String, _ inputs: Int) throws -> InceptionBlock {
    InceptionBlock(branches: [
      [try .convolution(&reader, "\(name).branch3x3", inputs, 384, stride: 2, padding: 0)],
      try double(&reader, name, inputs, stride: 2), [.maximum(stride: 2)],
    ])
  }

  private static func double(
    _ reader: inout WeightReader, _ name: String, _ inputs: Int, stride: Int = 1
  ) throws -> [InceptionStep] {
    let name = "\(name).branch3x3dbl_"
    return [
      try .convolution(&reader, name + "1", inputs, 64, [1, 1]), try .convolution(&reader, name + "2", 64, 96),
      try .convolution(&reader, name + "3", 96, 96, stride: stride, padding: stride == 1 ? nil : 0),
    ]
  }

  /// 17 x 17 pixels: 7x7 convolutions as 1x7 and 7x1.
  static func factored(_ reader: inout WeightReader, _ name: String, _ channels: Int) throws -> InceptionBlock {
    func chain(
      _ reader: inout WeightReader, _ branch: String, _ kernels: [[Int]], _ channels: Int
    ) throws -> [InceptionStep] {
      try kernels.indices.map { place in
        try .convolution(
          &reader, "\(name).\(branch)_\(place + 1)", place == 0 ? 768 : channels,
          place == kernels.count - 1 ? 192 : channels, kernels[place])
      }
    }
    return InceptionBlock(branches: [
      [try .convolution(&reader, "\(name).branch1x1", 768, 192, [1, 1])],
      try chain(&reader, "branch7x7", [[1, 1], [1, 7], [7, 1]], channels),
      try chain(&reader, "branch7x7dbl", [[1, 1], [7, 1], [1, 7], [7, 1], [1, 7]], channels),
      [.average, try .convolution(&reader, "\(name).branch_pool", 768, 192, [1, 1])],
    ])
  }

  /// To 8 x 8 pixels.
  static func secondReduction(_ reader: inout WeightReader, _ name: String, _ inputs: Int) throws -> InceptionBlock {
    InceptionBlock(branches: [
      [
        try .convolution(&reader, "\(name).branch3x3_1", inputs, 192, [1, 1]),
        try .convolution(&reader, "\(name).branch3x3_2", 192, 320, stride: 2, padding: 0),
      ],
      [
        try .convolution(&reader, "\(name).branch7x7x3_1", inputs, 192, [1, 1]),
        try .convolution(&reader, "\(name).branch7x7x3_2", 192, 192, [1, 7]),
        try .convolution(&reader, "\(name).branch7x7x3_3", 192, 192, [7, 1]),
        try .convolution(&reader, "\(name).branch7x7x3_4", 192, 192, stride: 2, padding: 0),
      ],
      [.maximum(stride: 2)],
    ])
  }

  /// 8 x 8 pixels.
  ///
  /// - Parameter pooling: of the last branch.
  static func coarse(
    _ reader: inout WeightReader, _ name: String, _ inputs: Int, _ pooling: InceptionStep
  ) throws -> InceptionBlock {
    InceptionBlock(branches: [
      [try .convolution(&reader, "\(name).branch1x1", inputs, 320, [1, 1])],
      [
        try .convolution(&reader, "\(name).branch3x3_1", inputs, 384, [1, 1]),
        try .fork(&reader, "\(name).branch3x3_2", 384),
      ],
      [
        try .convolution(&reader, "\(name).branch3x3dbl_1", inputs, 448, [1, 1]),
        try .convolution(&reader, "\(name).branch3x3dbl_2", 448, 384),
        try .fork(&reader, "\(name).branch3x3dbl_3", 384),
      ],
      [pooling, try .convolution(&reader, "\(name).branch_pool", inputs, 192, [1, 1])],
    ])
  }
}
