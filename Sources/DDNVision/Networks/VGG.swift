import DDNFiles
import Torch

/// The convolutions of torchvision's VGG-11, 13, 16 or 19, with or without batch norm, for inference.
///
/// Weights tell which; those of the classifier are not needed.
///
/// Source: Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition, 2015; names as in
/// torchvision.
public struct VGG: PerceptualNetwork {
  /// Convolutions in each stage; a max-pooling follows each.
  private static let stages = [11: [1, 1, 2, 2, 2], 13: [2, 2, 2, 2, 2], 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4]]

  private let normalization: Normalization
  private let stages: [[FoldedConvolution]]
  /// The first convolution without its batch norm.
  private let first: FoldedConvolution

  /// Takes the weights from a state dictionary.
  ///
  /// - Parameters:
  ///   - weights: by torchvision's names.
  ///   - depths: that are accepted: of 11, 13, 16 and 19; any when empty.
  ///   - device: that computes the network.
  /// - Throws: `FileError` naming the first missing, misshapen or unexpected tensor; `TorchError`.
  public init(_ weights: StateDictionary, depths: [Int] = [], device: Device = .cpu) throws {
    let depths = (depths.isEmpty ? Array(Self.stages.keys) : depths).sorted()
    // A batch norm takes an index after its convolution.
    let hasBatchNorm = weights.shape("features.1.running_mean") != nil
    let indices = depths.map { Self.indices(ofDepth: $0, hasBatchNorm: hasBatchNorm) }
    let found = weights.names.filter { weights.shape($0)?.count == 4 && $0.hasPrefix("features.") }
    // Without a match, errors name what the closest depth lacks.
    let matching = indices.firstIndex { Set($0.joined().map { "features.\($0).weight" }) == Set(found) }
    let closest = matching ?? indices.firstIndex { $0.joined().count >= found.count } ?? indices.count - 1
    let names = depths.map { "VGG-\($0)" }.joined(separator: ", ")
    var reader = WeightReader(
      weights, network: "VGG-\(depths[closest])", remedy: "give the state_dict() of torchvision's \(names)",
      device: device)
    normalization = try Normalization(.imageNet, device: device)
    var input = 3
    var stages: [[FoldedConvolution]] = []
    for stage in indices[closest] {
      stages.append([])
      for index in stage {
        let convolution = try FoldedConvolution(
          &reader, "features.\(index)", batchNorm: hasBatchNorm ? "features.\(index + 1)" : nil, [nil, input, 3, 3],
          hasBias: true)
        input = convolution.outputChannels
        stages[stages.count - 1].append(convolution)
      }
    }
    self.stages = stages
    first = try FoldedConvolution(&reader, "features.0", [nil, 3, 3, 3], hasBias: true)
    try reader.finish { $0.hasPrefix("classifier.") }
  }

  /// The first convolution's output, without batch norm and ReLU.
  ///
  /// - Parameter images: `[N, C, H, W]` in [-1, 1], C 1 or 3.
  /// - Returns: `[N, 64, H, W]`.
  /// - Throws: `TorchError` when libtorch fails.
  public func firstFeatures(of images: Tensor) throws -> Tensor {
    try images.mapChunks(pixels: pixelLimit, size: (images.shape[2], images.shape[3])) { try first(normalization($0)) }
  }

  public var pixelLimit: Int { 1 << 18 }

  public var channels: [Int] { stages.map { $0.last!.outputChannels } }

  /// The activations before each max-pooling.
  public func activations(of images: Tensor) throws -> [Tensor] {
    var features = try normalization(images)
    var activations: [Tensor] = []
    for (index, stage) in stages.enumerated() {
      if index > 0 { features = try features.maxPooled(2, stride: 2) }
      for convolution in stage { features = try convolution(features).relu() }
      activations.append(features)
    }
    return activations
  }

  /// The places of each stage's convolutions in torchvision's list of layers.
  private static func indices(ofDepth depth: Int, hasBatchNorm: Bool) -> [[Int]] {
    var next = 0
    return stages[depth]!.map { count in
      defer { next += 1 }  // The max-pooling.
      return (0..<count).map { _ in
        defer { next += hasBatchNorm ? 3 : 2 }
        return next
      }
    }
  }
}
