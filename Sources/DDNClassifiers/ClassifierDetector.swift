import Archives
import DDNFiles
import DDNPictures
import DDNVision
import Foundation
import Torch

/// What the last layer of a classifier reads, as features to compare distributions of images by.
public struct ClassifierDetector: FeatureDetector {
  private let classifier: ResidualClassifier
  private let device: Device
  public let identity: DetectorIdentity
  public let featureCount: Int

  /// - Parameters:
  ///   - nameOrPath: see `ResidualClassifier.url(of:)`.
  ///   - device: that computes the classifier.
  /// - Throws: `FileError` for a file that is no classifier; `TorchError`.
  public init(_ nameOrPath: String, device: Device = .cpu) throws {
    let url = try ResidualClassifier.url(of: nameOrPath)
    classifier = try ResidualClassifier(contentsOf: url, device: device)
    self.device = device
    featureCount = classifier.weights["head.weight"]!.shape[1]
    identity = DetectorIdentity(
      name: "classifier \(url.deletingPathExtension().lastPathComponent)",
      checksum: String(Checksum.crc32(try InputFile.map(url)), radix: 16))
  }

  public func features(of pixels: Tensor) throws -> Tensor {
    try classifier.features(of: pixels.to(device).unitRange()).to(.float32)
  }
}

/// Opens a detector by the content of its file.
///
/// | file | detector |
/// |---|---|
/// | a shipped classifier's name, or a file of `ddn classifier train` | `ClassifierDetector` |
/// | TorchScript | `ScriptDetector` |
/// | another state dictionary: torch.save or safetensors | `InceptionDetector` |
///
/// - Parameters:
///   - nameOrPath: of the file.
///   - device: that computes the detector.
/// - Throws: `FileError` when it is missing or none of these; `TorchError`.
public func openDetector(_ nameOrPath: String, device: Device = .cpu) throws -> any FeatureDetector {
  let url = URL(fileURLWithPath: nameOrPath)
  guard FileManager.default.fileExists(atPath: url.path) else {
    guard ResidualClassifier.shippedNames.contains(nameOrPath) else {
      throw FileError(
        .missing, path: nameOrPath, problem: "no such detector or file",
        remedy: "give Inception's weights, such as pt_inception-2015-12-05-6726825d.pth, a classifier, or one of "
          + ResidualClassifier.shippedNames.joined(separator: ", "))
    }
    return try ClassifierDetector(nameOrPath, device: device)
  }
  let data = try InputFile.map(url)
  if data.starts(with: [0x50, 0x4B]) {
    let names = try ZipArchive(data, url: url).names
    if names.contains(where: { $0.hasSuffix("/constants.pkl") }) {
      return try ScriptDetector(contentsOf: url, device: device)
    }
  } else if data.dropFirst(8).first == UInt8(ascii: "{"),
    try SafetensorsFile(contentsOf: url).isOf(ResidualClassifier.fileKind)
  {
    return try ClassifierDetector(nameOrPath, device: device)
  }
  return try InceptionDetector(StateDictionary(contentsOf: url), device: device)
}
