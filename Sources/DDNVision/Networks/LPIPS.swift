import DDNFiles
import Torch

/// The perceptual distance of images, LPIPS version 0.1, with AlexNet or VGG-16.
///
/// The distance is a squared Euclidean one of embeddings: unit-length activations, scaled by the square roots of LPIPS'
/// linear weights and of the number of pixels.
///
/// Source: Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric, 2018, equation 1.
public struct LPIPS {
  private let network: any PerceptualNetwork
  /// `[1, C, 1, 1]` for each of the activations, the square roots of LPIPS' weights.
  private let scales: [Tensor]

  /// Images that are smaller on a side are resized up.
  public static let smallestSide = 64

  /// Takes the weights from state dictionaries.
  ///
  /// - Parameters:
  ///   - weights: of torchvision's AlexNet or VGG-16, or of the whole `lpips.LPIPS`.
  ///   - linear: LPIPS' linear weights, the `lpips` package's `weights/v0.1/alex.pth` or `vgg.pth`; nil when `weights`
  ///     has them.
  ///   - device: that computes the network.
  /// - Throws: `FileError` naming the first missing, misshapen or unexpected tensor; `TorchError`.
  public init(_ weights: StateDictionary, linear: StateDictionary? = nil, device: Device = .cpu) throws {
    // A whole LPIPS keeps torchvision's numbers of layers: net.slice2.3.weight.
    let isWhole = weights.names.contains { $0.hasPrefix("net.slice") }
    let backbone =
      isWhole
      ? weights.renamed { name in name.wholeMatch(of: /net\.slice[0-9]+\.(.+)/).map { "features.\($0.1)" } } : weights
    guard backbone.shape("features.0.weight") != nil else {
      throw FileError(
        .invalid, path: weights.url.path, problem: "has no first convolution of an AlexNet or VGG-16",
        remedy: "give the state_dict() of torchvision's alexnet or vgg16, or of lpips.LPIPS")
    }
    let isAlexNet = backbone.shape("features.0.weight")?.last == 11
    network = isAlexNet ? try AlexNet(backbone, device: device) : try VGG(backbone, depths: [16], device: device)
    let file = isAlexNet ? "alex.pth" : "vgg.pth"
    var reader = WeightReader(
      linear ?? weights, network: "LPIPS with \(isAlexNet ? "AlexNet" : "VGG-16")",
      remedy: "give its linear weights, \(file) of the lpips package", device: device)
    scales = try network.channels.enumerated().map { index, channels in
      let name = "lin\(index).model.1.weight"
      let weight = try reader.tensor(name, [1, channels, 1, 1])
      guard try weight.array(Float.self).allSatisfy({ $0 >= 0 }) else {
        throw reader.error("\(quoted(name)) has negative weights")
      }
      return try weight.squareRoot()
    }
    try reader.finish { name in
      ["net.", "lins.", "scaling_layer.", "features.", "classifier."].contains(where: name.hasPrefix)
    }
  }

  /// Embeddings, whose squared Euclidean distance is LPIPS.
  ///
  /// - Parameter images: `[N, C, H, W]` in [-1, 1], C 1 or 3. Those smaller than 64 pixels on a side are resized up to 64
  ///   by bilinear interpolation. Embeddings of images of different sizes cannot be compared.
  /// - Returns: `[N, D]` float32.
  /// - Throws: `TorchError` when libtorch fails.
  public func embeddings(of images: Tensor) throws -> Tensor {
    let height = max(images.shape[2], Self.smallestSide)
    let width = max(images.shape[3], Self.smallestSide)
    return try images.mapChunks(pixels: network.pixelLimit, size: (height, width)) { images in
      let isSmall = images.shape[2...] != [height, width]
      let sized = try isSmall ? images.resizedBilinear(height: height, width: width) : images
      let parts = try zip(network.activations(of: sized), scales).map { activations, scale in
        let shape = activations.shape  // [n, C, h, w]
        let pixels = Double(shape[2] * shape[3])
        return try (activations.unitLength(1, epsilon: 1e-10) * (scale * (1 / pixels.squareRoot())))
          .reshaped([shape[0], -1])
      }
      return try .concatenate(parts, dimension: 1)
    }
  }

  /// The distances of pairs of images: `[N]`, 0 for equal ones.
  ///
  /// - Parameters:
  ///   - first: `[N, C, H, W]` in [-1, 1].
  ///   - second: the same shape.
  /// - Throws: `TorchError` when libtorch fails or shapes differ.
  public func distances(_ first: Tensor, _ second: Tensor) throws -> Tensor {
    try (embeddings(of: first) - embeddings(of: second)).squared().sum([1])
  }
}
