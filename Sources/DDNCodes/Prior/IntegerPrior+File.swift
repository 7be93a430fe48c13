import DDN
import DDNFiles
import Foundation
import Torch

/// How a prior was trained.
public struct PriorSummary: Codable, Sendable, Equatable {
  /// Name of the data set.
  public var data: String
  /// Codes in the training set.
  public var codes: Int
  /// Codes seen, repeats included.
  public var codesSeen: Int
  public var elapsedSeconds: Double
  /// Bits of a code that training did not see, on average; nil without any.
  public var heldOutBits: Double?
}

extension IntegerPrior {
  /// The metadata entry "format" of a prior's file.
  public static let format = "ddn-swift-prior"
  private static let formatVersion = "1"

  private struct Description: Codable {
    /// `[nodes, side, choices]` of each level.
    var levels: [[Int]]
    var classes: Int
    var width: Int
    var hidden: Int
    /// Hexadecimal.
    var modelFingerprint: String
  }

  /// The prior's file of a model's file: `prior.safetensors` in a run folder, else `NAME.prior.safetensors`.
  ///
  /// - Parameter model: `NAME.safetensors`, or `model.safetensors` of a run folder.
  public static func url(besides model: URL) -> URL {
    let name = model.deletingPathExtension().lastPathComponent
    return model.deletingLastPathComponent()
      .appendingPathComponent(name == "model" ? "prior.safetensors" : "\(name).prior.safetensors")
  }

  /// Reads a file that `write(to:)` wrote.
  ///
  /// - Parameters:
  ///   - url: of the `.safetensors` file.
  ///   - space: of the model to predict; nil for any.
  ///   - fingerprint: of the model; nil for any.
  /// - Throws: `FileError` when it is missing, damaged, not a prior, of a newer version or of another model.
  public convenience init(contentsOf url: URL, space: CodeSpace? = nil, fingerprint: UInt64? = nil) throws {
    let file = try SafetensorsFile(contentsOf: url)
    func invalid(_ problem: String, _ remedy: String = "download it or train it again") -> FileError {
      FileError(.invalid, path: url.path, problem: problem, remedy: remedy)
    }
    guard file.metadata["format"] == Self.format else {
      throw invalid("is not a prior of this program", "give a file that ddn prior train wrote")
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
    let description = try decode(Description.self, "prior")
    guard let modelFingerprint = UInt64(description.modelFingerprint, radix: 16),
      let described = Self.space(description.levels)
    else { throw invalid("its metadata 'prior' describes no codes") }
    guard space ?? described == described, fingerprint ?? modelFingerprint == modelFingerprint else {
      throw invalid("is the prior of another model", "train one for this model with ddn prior train")
    }
    let shape = PriorShape(
      space: described, classes: description.classes, width: description.width, hidden: description.hidden)
    do { try shape.validate() } catch { throw invalid("describes an invalid prior: \(error)") }
    let tensors = shape.tensors
    if let extra = file.entries.keys.sorted().first(where: { tensors[$0] == nil }) {
      throw invalid("has a tensor named \(quoted(extra)) that a prior lacks")
    }
    var integers: [String: [Int32]] = [:]
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      guard let entry = file.entries[name] else { throw invalid("has no tensor named '\(name)'") }
      let dtype = Self.dtype(bytes: tensor.bytes)
      guard entry.shape == tensor.shape, entry.dtype == dtype else {
        throw invalid("'\(name)' is \(entry.dtype.rawValue) \(entry.shape), not \(dtype.rawValue) \(tensor.shape)")
      }
    }
    try file.verifyChecksum()
    for (name, tensor) in tensors {
      integers[name] = try file.withBytes(of: name) { bytes in
        tensor.bytes == 1
          ? bytes.map { Int32(Int8(bitPattern: $0)) }
          : (0..<bytes.count / 4).map {
            Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self))
          }
      }
    }
    let training = try file.metadata["training"] == nil ? nil : decode(PriorSummary.self, "training")
    do {
      try self.init(
        space: described, shape: shape, integers: integers, modelFingerprint: modelFingerprint, training: training)
    } catch let error as PriorError { throw invalid("has impossible weights: \(error)") }
  }

  /// Writes the prior atomically.
  ///
  /// - Parameter url: of the `.safetensors` file.
  /// - Throws: `FileError` when it cannot be written; `TorchError`.
  public func write(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    func text(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
    let description = Description(
      levels: space.levels.map { [$0.nodes, $0.side, $0.choices] }, classes: shape.classes, width: shape.width,
      hidden: shape.hidden, modelFingerprint: String(modelFingerprint, radix: 16))
    var metadata = ["format": Self.format, "version": Self.formatVersion, "prior": try text(description)]
    if let training { metadata["training"] = try text(training) }
    let tensors = shape.tensors
    let stored = try weights.reduce(into: [:]) {
      $0[$1.key] = try $1.value.to(Self.dtype(bytes: tensors[$1.key]!.bytes))
    }
    try SafetensorsFile.write(stored, metadata: metadata, to: url)
  }

  private static func dtype(bytes: Int) -> DType { bytes == 1 ? .int8 : .int32 }

  /// Nil for impossible levels.
  private static func space(_ levels: [[Int]]) -> CodeSpace? {
    let limit = 1...1 << 16
    guard levels.count <= 1 << 16,
      levels.allSatisfy({ $0.count == 3 && $0.allSatisfy(limit.contains) }),
      levels.reduce(0, { $0 + $1[2] }) <= limit.upperBound
    else { return nil }
    return CodeSpace(levels.map { CodeSpace.Level(nodes: $0[0], side: $0[1], choices: $0[2]) })
  }
}
