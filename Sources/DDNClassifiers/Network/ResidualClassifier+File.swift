import DDNFiles
import Foundation
import Torch

extension ResidualClassifier {
  /// The metadata entry "format" of a classifier's file.
  public static let format = "ddn-swift classifier"
  private static let formatVersion = "1"
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
    let file = try SafetensorsFile(contentsOf: url)
    func invalid(_ problem: String, _ remedy: String = "download it or train it again") -> FileError {
      FileError(.invalid, path: url.path, problem: problem, remedy: remedy)
    }
    guard file.metadata["format"] == Self.format else {
      throw invalid("is not a classifier of this program", "give a file that ddn classifier train wrote")
    }
    guard let version = file.metadata["version"], version == Self.formatVersion else {
      throw invalid(
        "has format version \(file.metadata["version"].map { quoted($0) } ?? "none"), not \(Self.formatVersion)",
        "use the version of ddn that wrote it")
    }
    func decode<T: Decodable>(_ type: T.Type, _ key: String) throws(FileError) -> T {
      guard let value = file.metadata[key].flatMap({ try? JSONDecoder().decode(type, from: Data($0.utf8)) }) else {
        throw invalid("its metadata '\(key)' is missing or cannot be read")
      }
      return value
    }
    let configuration = try decode(ClassifierConfiguration.self, "classifier")
    do { try configuration.validate() } catch { throw invalid("describes an invalid classifier: \(error)") }
    let shapes = Self.weightShapes(of: configuration)
    if let extra = file.entries.keys.sorted().first(where: { shapes[$0] == nil }) {
      throw invalid("has a tensor named \(quoted(extra)) that this network lacks")
    }
    for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
      guard let entry = file.entries[name] else { throw invalid("has no tensor named '\(name)'") }
      guard entry.shape == shape, entry.dtype == Self.storedType else {
        throw invalid(
          "'\(name)' is \(entry.dtype.rawValue) \(entry.shape), not \(Self.storedType.rawValue) \(shape)")
      }
    }
    try file.verifyChecksum()
    self.init(
      configuration,
      weights: try shapes.keys.reduce(into: [:]) { $0[$1] = try file.tensor($1).to(.float32).to(device) },
      training: try file.metadata["training"] == nil ? nil : decode(ClassifierSummary.self, "training"))
  }

  /// Writes the classifier atomically, its weights as float16.
  ///
  /// - Parameter url: of the `.safetensors` file.
  /// - Throws: `FileError` when it cannot be written; `TorchError`.
  public func write(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    func text(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
    var metadata = [
      "format": Self.format, "version": Self.formatVersion, "classifier": try text(configuration),
    ]
    if let training { metadata["training"] = try text(training) }
    try SafetensorsFile.write(weights.mapValues { try $0.to(Self.storedType) }, metadata: metadata, to: url)
  }
}
