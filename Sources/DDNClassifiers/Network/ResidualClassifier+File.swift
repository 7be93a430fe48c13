import DDNFiles
import Foundation
import Torch

extension ResidualClassifier {
  static let fileKind = FileKind(
    "a classifier", format: "ddn-swift classifier", versions: 1...1, command: "ddn classifier train")
  /// Of the weights in a file.
  static let storedType = DType.float16

  /// Reads a file that `write(to:)` wrote.
  ///
  /// - Parameters:
  ///   - url: of the `.safetensors` file.
  ///   - device: of the weights.
  /// - Throws: `FileError` when it is missing, damaged, not a classifier or of a newer version; `TorchError` when memory
  ///   is short or the device is unavailable.
  public convenience init(contentsOf url: URL, device: Device = .cpu) throws {
    let file = try SafetensorsFile(contentsOf: url, kind: Self.fileKind)
    let configuration = try file.value("classifier", as: ClassifierConfiguration.self)
    do { try configuration.validate() } catch { throw file.invalid("describes an invalid classifier: \(error)") }
    let shapes = Self.weightShapes(of: configuration)
    try file.check(tensors: shapes.mapValues { (Self.storedType, $0) })
    try file.verifyChecksum()
    self.init(
      configuration,
      weights: try shapes.keys.reduce(into: [:]) { $0[$1] = try file.tensor($1).to(.float32).to(device) },
      training: try file.optionalValue("training"))
  }

  /// Writes the classifier atomically, its weights as float16.
  ///
  /// - Parameter url: of the `.safetensors` file.
  /// - Throws: `FileError` when it cannot be written; `TorchError`.
  public func write(to url: URL) throws {
    let metadata = try Self.fileKind.metadata(version: 1, key: "classifier", configuration, training: training)
    try SafetensorsFile.write(weights.mapValues { try $0.to(Self.storedType) }, metadata: metadata, to: url)
  }
}
