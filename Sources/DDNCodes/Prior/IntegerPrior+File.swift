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
  static let fileKind = FileKind("a prior", format: "ddn-swift-prior", versions: 1...1, command: "ddn prior train")

  private struct Description: Codable {
    /// `[nodes, side, 1]` of each level.
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
    let file = try SafetensorsFile(contentsOf: url, kind: Self.fileKind)
    let description = try file.value("prior", as: Description.self)
    guard let modelFingerprint = UInt64(description.modelFingerprint, radix: 16),
      let described = Self.space(description.levels)
    else { throw file.invalid("its metadata 'prior' describes no codes") }
    guard space ?? described == described, fingerprint ?? modelFingerprint == modelFingerprint else {
      throw file.invalid("is the prior of another model", remedy: "train one for this model with ddn prior train")
    }
    let shape = PriorShape(
      space: described, classes: description.classes, width: description.width, hidden: description.hidden)
    do { try shape.validate() } catch { throw file.invalid("describes an invalid prior: \(error)") }
    let tensors = shape.tensors
    try file.check(tensors: tensors.mapValues { (Self.dtype(bytes: $0.bytes), $0.shape) })
    try file.verifyChecksum()
    var integers: [String: [Int32]] = [:]
    for (name, tensor) in tensors {
      integers[name] = try file.withBytes(of: name) { bytes in
        tensor.bytes == 1
          ? bytes.map { Int32(Int8(bitPattern: $0)) }
          : (0..<bytes.count / 4).map {
            Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self))
          }
      }
    }
    do {
      try self.init(
        space: described, shape: shape, integers: integers, modelFingerprint: modelFingerprint,
        training: file.optionalValue("training"))
    } catch let error as PriorError { throw file.invalid("has impossible weights: \(error)") }
  }

  /// Writes the prior atomically.
  ///
  /// - Parameter url: of the `.safetensors` file.
  /// - Throws: `FileError` when it cannot be written; `TorchError`.
  public func write(to url: URL) throws {
    let description = Description(
      levels: space.levels.map { [$0.nodes, $0.side, 1] }, classes: shape.classes, width: shape.width,
      hidden: shape.hidden, modelFingerprint: String(modelFingerprint, radix: 16))
    let metadata = try Self.fileKind.metadata(version: 1, key: "prior", description, training: training)
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
      levels.allSatisfy({ $0.count == 3 && $0.allSatisfy(limit.contains) && $0[2] == 1 })
    else { return nil }
    return CodeSpace(levels.map { CodeSpace.Level(nodes: $0[0], side: $0[1]) })
  }
}
