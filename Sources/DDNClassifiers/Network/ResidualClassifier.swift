import DDNVision
import Torch

/// A small residual network that reads the class of an image; `ddn classifier train` trains one.
///
/// Immutable, with the norms folded into the convolutions. Not for concurrent use.
public final class ResidualClassifier: ImageClassifier {
  public let configuration: ClassifierConfiguration
  public let training: ClassifierSummary?
  /// By name: see `weightShapes(of:)`.
  let weights: [String: Tensor]

  public var classes: Int { configuration.classes }

  init(_ configuration: ClassifierConfiguration, weights: [String: Tensor], training: ClassifierSummary?) {
    self.configuration = configuration
    self.weights = weights
    self.training = training
  }

  /// The number of weights.
  public var parameterCount: Int { weights.values.reduce(0) { $0 + $1.count } }

  /// A copy on another device.
  func moved(to device: Device) throws(TorchError) -> ResidualClassifier {
    var moved: [String: Tensor] = [:]
    for (name, tensor) in weights { moved[name] = try tensor.to(device) }
    return ResidualClassifier(configuration, weights: moved, training: training)
  }

  /// The most pixels of resized images in memory at once.
  private static let maxPixels = 1 << 20

  /// - Throws: `ClassifierError` when the images' channels are neither 1 nor 3; `TorchError`.
  public func logits(of images: Tensor) throws -> Tensor {
    try withoutGradients { () throws in
      try features(of: images).linear(weights["head.weight"]!, bias: nil).to(.float32)
    }
  }

  /// What the last layer reads: `[B, F]`.
  ///
  /// - Parameter images: `[B, C, H, W]` in [-1, 1], of any size.
  /// - Throws: `ClassifierError` when the images' channels are neither 1 nor 3; `TorchError`.
  public func features(of images: Tensor) throws -> Tensor {
    let count = images.shape[0]
    let size = max(1, Self.maxPixels / (configuration.side * configuration.side))
    return try withoutGradients {
      let parts = try stride(from: 0, to: count, by: size).map { first in
        try run(fitted(images.slice(0, first..<min(first + size, count))))
      }
      return try parts.count == 1 ? parts[0] : .concatenate(parts)
    }
  }

  /// The output of every block, with gradients to the images: each `[B, F, h, w]`.
  ///
  /// - Parameter images: `[B, C, H, W]` in [-1, 1], of any size.
  /// - Throws: `ClassifierError` when the images' channels are neither 1 nor 3; `TorchError`.
  public func featureMaps(of images: Tensor) throws -> [Tensor] { try maps(of: fitted(images)) }

  /// What the last layer reads, with gradients to the images: `[B, F]`.
  ///
  /// - Parameter images: `[B, C, H, W]` in [-1, 1], of any size.
  /// - Throws: `ClassifierError` when the images' channels are neither 1 nor 3; `TorchError`.
  public func differentiableFeatures(of images: Tensor) throws -> Tensor { try run(fitted(images)) }

  /// Images in the channels and the size that the network reads.
  ///
  /// Gray is repeated for RGB, and RGB averaged to gray; larger sides are averaged, smaller ones interpolated.
  private func fitted(_ images: Tensor) throws -> Tensor {
    var (images, side) = (images, configuration.side)
    switch (images.shape[1], configuration.channels) {
    case (1, 3): images = try images.expanded([-1, 3, -1, -1])
    case (3, 1): images = try images.mean([1], keepingDimensions: true)
    case (let given, let needed):
      guard given == needed else { throw ClassifierError("images of \(given) channels are neither gray nor RGB") }
    }
    // Each dimension in the direction that it needs.
    let (height, width) = (images.shape[2], images.shape[3])
    if height > side || width > side {
      images = try images.resizedArea(height: min(height, side), width: min(width, side))
    }
    if height < side || width < side { images = try images.resizedBilinear(height: side, width: side) }
    return images
  }

  /// `[B, C, side, side]` to `[B, F]`.
  private func run(_ images: Tensor) throws(TorchError) -> Tensor {
    try maps(of: images).last!.maximum([2, 3])
  }

  /// The output of every block.
  private func maps(of images: Tensor) throws(TorchError) -> [Tensor] {
    var features = try convolved(images.inChannelsLast(), "stem").gelu()
    var maps: [Tensor] = []
    for block in configuration.blockChannels.indices {
      features = try convolved(features, "blocks.\(block).first", padding: 1).maxPooled(2, stride: 2).gelu()
      features = try features + convolved(features, "blocks.\(block).second", padding: 1).gelu()
      maps.append(features)
    }
    return maps
  }

  private func convolved(_ input: Tensor, _ name: String, padding: Int = 0) throws(TorchError) -> Tensor {
    try input.convolved(weights["\(name).weight"]!, bias: weights["\(name).bias"]!, padding: padding)
  }

  /// The shape of each weight by its name.
  static func weightShapes(of configuration: ClassifierConfiguration) -> [String: [Int]] {
    let kernel = ClassifierConfiguration.stemKernel
    var inputs = configuration.stemChannels
    var shapes = ["stem.weight": [inputs, configuration.channels, kernel, kernel], "stem.bias": [inputs]]
    for (block, outputs) in configuration.blockChannels.enumerated() {
      shapes["blocks.\(block).first.weight"] = [outputs, inputs, 3, 3]
      shapes["blocks.\(block).first.bias"] = [outputs]
      shapes["blocks.\(block).second.weight"] = [outputs, outputs, 3, 3]
      shapes["blocks.\(block).second.bias"] = [outputs]
      inputs = outputs
    }
    shapes["head.weight"] = [configuration.classes, inputs]
    return shapes
  }
}

/// How a classifier was trained.
public struct ClassifierSummary: Codable, Sendable, Equatable {
  /// Name of the data set.
  public var data: String
  /// Images seen, repeats included.
  public var images: Int
  public var elapsedSeconds: Double
  /// Name of the test data set; nil without one.
  public var testData: String?
  /// Within 0...1, on the test data.
  public var testAccuracy: Double?

  public init(
    data: String, images: Int, elapsedSeconds: Double, testData: String? = nil, testAccuracy: Double? = nil
  ) {
    self.data = data
    self.images = images
    self.elapsedSeconds = elapsedSeconds
    self.testData = testData
    self.testAccuracy = testAccuracy
  }
}

extension ResidualClassifier {
  /// Folds the norms of a trained network into its convolutions, in float64.
  ///
  /// - Parameters:
  ///   - configuration: of the network.
  ///   - state: of a `ClassifierNetwork`, or an average of such.
  ///   - training: its summary.
  convenience init(
    _ configuration: ClassifierConfiguration, folding state: [String: Tensor], training: ClassifierSummary?
  ) throws {
    func values(_ name: String) throws -> Tensor { try state[name]!.detached().to(.cpu).to(.float64) }
    // Rounded to the file's type, so that a saved classifier gives equal logits.
    func stored(_ tensor: Tensor) throws -> Tensor { try tensor.to(Self.storedType).to(.float32) }
    var weights = [
      "stem.weight": try stored(values("stem.weight")), "stem.bias": try stored(values("stem.bias")),
      "head.weight": try stored(values("head") * ClassifierNetwork.headScale),
    ]
    for block in configuration.blockChannels.indices {
      for (name, weight, norm) in [("first", "weight", "norm"), ("second", "residualWeight", "residualNorm")] {
        let path = "blocks.\(block)."
        let mean = try values(path + norm + ".runningMean")
        let deviation = try (values(path + norm + ".runningVariance") + BatchNorm.epsilon).squareRoot()
        weights[path + name + ".weight"] = try stored(
          values(path + weight) / deviation.reshaped([-1, 1, 1, 1]))
        weights[path + name + ".bias"] = try stored(values(path + norm + ".bias") - mean / deviation)
      }
    }
    self.init(configuration, weights: weights, training: training)
  }
}
