import DDNFiles
import Torch

/// The first features of a network that was trained to classify images, which show its colours and textures.
///
/// Source: the original program's style guide. Features of ResNet-18 are those after the first max-pooling, of VGG those of
/// the first convolution.
public struct StyleFeatures {
  private let features: (Tensor) throws -> Tensor
  private static let side = 64

  /// Takes the weights of ResNet-18 or a VGG; their names tell which.
  ///
  /// - Parameters:
  ///   - weights: by torchvision's names.
  ///   - device: that computes the network.
  /// - Throws: `FileError` naming the first missing, misshapen or unexpected tensor; `TorchError`.
  public init(_ weights: StateDictionary, device: Device = .cpu) throws {
    if weights.shape("features.0.weight") != nil {
      features = try VGG(weights, device: device).firstFeatures
    } else {
      guard weights.shape("conv1.weight") != nil else {
        throw FileError(
          .invalid, path: weights.url.path, problem: "has no first convolution of a ResNet-18 or VGG",
          remedy: "give the state_dict() of torchvision's resnet18, vgg11 or vgg11_bn")
      }
      features = try ResNet18(weights, device: device).firstFeatures
    }
  }

  /// The features of images, which are resized to 64x64 by the nearest pixel.
  ///
  /// - Parameter images: `[N, C, H, W]` in [-1, 1], C 1 or 3.
  /// - Returns: `[N, D]` float32.
  /// - Throws: `TorchError` when libtorch fails.
  public func callAsFunction(_ images: Tensor) throws -> Tensor {
    try features(images.resizedNearest(height: Self.side, width: Self.side)).reshaped([images.shape[0], -1])
  }
}
