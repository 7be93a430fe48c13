import DDNFiles
import Torch

/// torchvision's ResNet-18, for inference, or its variant for small images (CIFAR-10).
///
/// The variant's first convolution is 3x3 with stride 1 in place of 7x7 with stride 2; weights tell which. The number of
/// classes is that of `fc`.
///
/// Source: He et al., Deep residual learning for image recognition, 2016; names and layers as in torchvision. The variant
/// is that of huyvnphan's PyTorch_CIFAR10.
public struct ResNet18: ImageClassifier {
  private let normalization: Normalization
  private let first: FoldedConvolution
  private let blocks: [Block]
  private let weight: Tensor
  private let bias: Tensor
  private let isForSmallImages: Bool

  /// Pixels of images at a time, which bounds the memory to a few hundred megabytes.
  private var pixelLimit: Int { isForSmallImages ? 1 << 18 : 1 << 20 }

  /// Takes the weights from a state dictionary.
  ///
  /// - Parameters:
  ///   - weights: by torchvision's names.
  ///   - device: that computes the network.
  /// - Throws: `FileError` naming the first missing, misshapen or unexpected tensor; `TorchError`.
  public init(_ weights: StateDictionary, device: Device = .cpu) throws {
    var reader = WeightReader(
      weights, network: "ResNet-18",
      remedy: "give torchvision's resnet18().state_dict(), or that of its variant for CIFAR-10", device: device)
    let shape = try reader.shape("conv1.weight", rank: 4)
    isForSmallImages = shape[2] == 3
    let size = isForSmallImages ? 3 : 7
    normalization = try Normalization(isForSmallImages ? .cifar10 : .imageNet, device: device)
    first = try FoldedConvolution(
      &reader, "conv1", batchNorm: "bn1", [nil, 3, size, size], stride: isForSmallImages ? 1 : 2, hasBias: false)
    var blocks: [Block] = []
    for layer in 0..<4 {
      for index in 0..<2 {
        let input = layer == 0 ? shape[0] : blocks.last!.outputChannels
        let output = shape[0] << layer
        blocks.append(
          try Block(
            &reader, "layer\(layer + 1).\(index)", input: input, output: output,
            stride: layer > 0 && index == 0 ? 2 : 1))
      }
    }
    self.blocks = blocks
    weight = try reader.tensor("fc.weight", [nil, blocks.last!.outputChannels])
    bias = try reader.tensor("fc.bias", [weight.shape[0]])
    guard weight.shape[0] >= 2 else { throw reader.error("\"fc.weight\" has \(weight.shape[0]) class, not at least 2") }
    try reader.finish()
  }

  public var classes: Int { weight.shape[0] }

  /// Images are resized to the size of the training images: 224 pixels by bilinear interpolation, 32 by the nearest pixel.
  public func logits(of images: Tensor) throws -> Tensor {
    let size = isForSmallImages ? 32 : 224
    return try images.mapChunks(pixels: pixelLimit, size: (size, size)) { images in
      let sized =
        try isForSmallImages
        ? images.resizedNearest(height: size, width: size) : images.resizedBilinear(height: size, width: size)
      var features = try stem(sized)
      for block in blocks { features = try block(features) }
      return try features.mean([2, 3]).linear(weight, bias: bias)
    }
  }

  /// The features after the first convolution, its batch norm, ReLU and max-pooling.
  ///
  /// - Parameter images: `[N, C, H, W]` in [-1, 1], C 1 or 3, not resized.
  /// - Returns: `[N, 64, H / 4, W / 4]`; of the variant for small images `[N, 64, H / 2, W / 2]`.
  /// - Throws: `TorchError` when libtorch fails.
  public func firstFeatures(of images: Tensor) throws -> Tensor {
    try images.mapChunks(pixels: pixelLimit, size: (images.shape[2], images.shape[3]), stem)
  }

  private func stem(_ images: Tensor) throws(TorchError) -> Tensor {
    try first(normalization(images)).relu().maxPooled(3, stride: 2, padding: 1)
  }
}

extension ResNet18 {
  /// Two 3x3 convolutions with a skip connection.
  private struct Block {
    private let first: FoldedConvolution
    private let second: FoldedConvolution
    /// 1x1, where the shape changes.
    private let skip: FoldedConvolution?

    var outputChannels: Int { second.outputChannels }

    init(_ reader: inout WeightReader, _ name: String, input: Int, output: Int, stride: Int) throws {
      first = try FoldedConvolution(
        &reader, "\(name).conv1", batchNorm: "\(name).bn1", [output, input, 3, 3], stride: stride, hasBias: false)
      second = try FoldedConvolution(
        &reader, "\(name).conv2", batchNorm: "\(name).bn2", [output, output, 3, 3], hasBias: false)
      let changesShape = stride != 1 || input != output
      skip =
        try changesShape
        ? FoldedConvolution(
          &reader, "\(name).downsample.0", batchNorm: "\(name).downsample.1", [output, input, 1, 1], stride: stride,
          hasBias: false) : nil
    }

    func callAsFunction(_ features: Tensor) throws(TorchError) -> Tensor {
      try (second(first(features).relu()) + (skip?(features) ?? features)).relu()
    }
  }
}
