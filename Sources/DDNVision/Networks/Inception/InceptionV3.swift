import DDNFiles
import Torch

/// Inception v3 as the Frechet Inception distance uses it: 2048 features of an image.
///
/// It differs from torchvision's network in its pooling, like the TensorFlow network that it was converted from: averages
/// leave out the padding, and the last block takes maxima. Weights by the names of pytorch-fid's
/// `pt_inception-2015-12-05-6726825d.pth`.
///
/// - Source: Szegedy et al., "Rethinking the Inception architecture" (2016); Heusel et al., "GANs trained by a two
///   time-scale update rule" (2017).
public struct InceptionV3 {
  /// The number of an image's features.
  public static let featureCount = 2048
  /// Images are resized to it.
  static let side = 299
  /// Pixels of resized images at a time: 16 images, a few hundred megabytes.
  private static let pixelLimit = 16 * side * side

  private let stem: [InceptionStep]
  private let blocks: [InceptionBlock]
  /// CRC-32 of all weights, in eight hexadecimal digits.
  public let checksum: String

  /// Takes the weights from a state dictionary.
  ///
  /// - Parameters:
  ///   - weights: by torchvision's names; those of the classification layer `fc` are not needed.
  ///   - device: that computes the network.
  /// - Throws: `FileError` naming the first missing, misshapen or unexpected tensor; `TorchError`.
  public init(_ weights: StateDictionary, device: Device = .cpu) throws {
    var reader = WeightReader(
      weights, network: "the Inception v3 of FID",
      remedy: "give pytorch-fid's pt_inception-2015-12-05-6726825d.pth, or its state dictionary as safetensors",
      device: device)
    stem = [
      try .convolution(&reader, "Conv2d_1a_3x3", 3, 32, stride: 2, padding: 0),
      try .convolution(&reader, "Conv2d_2a_3x3", 32, 32, padding: 0),
      try .convolution(&reader, "Conv2d_2b_3x3", 32, 64), .maximum(stride: 2),
      try .convolution(&reader, "Conv2d_3b_1x1", 64, 80, [1, 1]),
      try .convolution(&reader, "Conv2d_4a_3x3", 80, 192, padding: 0), .maximum(stride: 2),
    ]
    blocks = [
      try .fine(&reader, "Mixed_5b", 192, pooled: 32), try .fine(&reader, "Mixed_5c", 256, pooled: 64),
      try .fine(&reader, "Mixed_5d", 288, pooled: 64), try .firstReduction(&reader, "Mixed_6a", 288),
      try .factored(&reader, "Mixed_6b", 128), try .factored(&reader, "Mixed_6c", 160),
      try .factored(&reader, "Mixed_6d", 160), try .factored(&reader, "Mixed_6e", 192),
      try .secondReduction(&reader, "Mixed_7a", 768), try .coarse(&reader, "Mixed_7b", 1280, .average),
      try .coarse(&reader, "Mixed_7c", 2048, .maximum(stride: 1)),
    ]
    try reader.finish { $0.hasPrefix("fc.") }
    checksum = try weights.checksum { !$0.hasPrefix("fc.") && !$0.hasSuffix("num_batches_tracked") }
  }

  /// The features before the classification layer.
  ///
  /// - Parameter images: `[N, C, H, W]` in [-1, 1], C 1 or 3, of any size; resized to 299 x 299 by bilinear interpolation
  ///   without antialiasing, as pytorch-fid does.
  /// - Returns: `[N, 2048]`.
  /// - Throws: `TorchError` when libtorch fails.
  public func features(of images: Tensor) throws -> Tensor {
    let side = Self.side
    return try withoutGradients { () throws in
      try images.mapChunks(pixels: Self.pixelLimit, size: (side, side)) { images in
        var features = try images.resizedBilinear(height: side, width: side).expanded([-1, 3, -1, -1])
          .inChannelsLast()
        for step in stem { features = try step(features) }
        for block in blocks { features = try block(features) }
        return try features.mean([2, 3])
      }
    }
  }
}
