import Torch

/// A network whose features of images are compared by distances of distributions.
public protocol FeatureDetector {
  var identity: DetectorIdentity { get }

  /// The number of an image's features.
  var featureCount: Int { get }

  /// The features of images: `[N, featureCount]` float32.
  ///
  /// - Parameter pixels: `[N, C, H, W]` uint8, C 1 (gray, which is repeated for networks of RGB) or 3, of any size; the
  ///   detector resizes them to its own.
  /// - Throws: what the network throws.
  func features(of pixels: Tensor) throws -> Tensor
}

/// A detector's name and weights; features and statistics of different ones cannot be compared.
public struct DetectorIdentity: Sendable, Equatable, CustomStringConvertible {
  /// "Inception v3", or another network's.
  public let name: String
  /// Of the weights; the name does not count in comparisons of other networks.
  public let checksum: String
  /// Whether the distance of its features is called FID.
  public let isInception: Bool

  /// - Parameters:
  ///   - name: of the network, as in "in the features of NAME".
  ///   - checksum: of the weights.
  ///   - isInception: whether it is the Inception v3 of the Frechet Inception distance.
  public init(name: String, checksum: String, isInception: Bool = false) {
    self.name = name
    self.checksum = checksum
    self.isInception = isInception
  }

  /// As in files: kind and checksum.
  public var description: String { "\(isInception ? "inception-v3" : "network") \(checksum)" }

  /// "FID", or for another network a name that says so.
  public var distanceName: String { isInception ? "FID" : "Frechet distance in the features of \(name)" }
}

/// Inception v3, of which the distance of features is called FID.
public struct InceptionDetector: FeatureDetector {
  private let network: InceptionV3
  private let device: Device
  public let identity: DetectorIdentity

  public var featureCount: Int { InceptionV3.featureCount }

  /// - Parameters:
  ///   - weights: see `InceptionV3`.
  ///   - device: that computes the network.
  /// - Throws: `FileError` for other weights; `TorchError`.
  public init(_ weights: StateDictionary, device: Device = .cpu) throws {
    network = try InceptionV3(weights, device: device)
    self.device = device
    identity = DetectorIdentity(name: "Inception v3", checksum: network.checksum, isInception: true)
  }

  public func features(of pixels: Tensor) throws -> Tensor {
    try network.features(of: pixels.to(device).to(.float32) * (1 / 127.5) - 1)
  }
}
