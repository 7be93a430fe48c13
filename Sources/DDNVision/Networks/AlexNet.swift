import DDNFiles
import Torch

/// The convolutions of torchvision's AlexNet, for inference; weights of its classifier are not needed.
///
/// Source: Krizhevsky, One weird trick for parallelizing convolutional neural networks, 2014; names as in torchvision.
public struct AlexNet: PerceptualNetwork {
  private let normalization: Normalization
  private let convolutions: [FoldedConvolution]

  /// Takes the weights from a state dictionary.
  ///
  /// - Parameters:
  ///   - weights: by torchvision's names.
  ///   - device: that computes the network.
  /// - Throws: `FileError` naming the first missing, misshapen or unexpected tensor; `TorchError`.
  public init(_ weights: StateDictionary, device: Device = .cpu) throws {
    var reader = WeightReader(
      weights, network: "AlexNet", remedy: "give torchvision's alexnet().state_dict()", device: device)
    normalization = try Normalization(.imageNet, device: device)
    var input = 3
    convolutions = try [(0, 11), (3, 5), (6, 3), (8, 3), (10, 3)].map { index, size in
      let convolution = try FoldedConvolution(
        &reader, "features.\(index)", [nil, input, size, size], stride: index == 0 ? 4 : 1,
        padding: index == 0 ? 2 : size / 2, hasBias: true)
      input = convolution.outputChannels
      return convolution
    }
    try reader.finish { $0.hasPrefix("classifier.") }
  }

  public var pixelLimit: Int { 1 << 20 }

  public var channels: [Int] { convolutions.map(\.outputChannels) }

  /// The activations after each convolution's ReLU.
  public func activations(of images: Tensor) throws -> [Tensor] {
    var features = try normalization(images)
    var activations: [Tensor] = []
    for (index, convolution) in convolutions.enumerated() {
      // A max-pooling before the second and the third convolution.
      if index == 1 || index == 2 { features = try features.maxPooled(3, stride: 2) }
      features = try convolution(features).relu()
      activations.append(features)
    }
    return activations
  }
}
