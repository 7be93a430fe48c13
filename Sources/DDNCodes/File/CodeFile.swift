import Archives
import DDN
import DDNFiles
import Foundation

/// A `.ddn` file: the codes of one image or of a whole data set, for programs with the same model.
///
/// The payload is one message of the range coder: blocks of images, and in each block the level counts, the classes, and
/// then the choices, those of the first level for all images, then those of the second, so that the beginning of a file
/// holds the first levels. `CodeFileHeader` describes the bytes around it.
public struct CodeFile: Sendable {
  public let table: CodeTable
  /// Bytes of the coded choices, classes and level counts.
  public let payloadBytes: Int
  /// Bytes of the file.
  public let fileBytes: Int
  /// Images of which the file's beginning holds no level; 0 for a whole file.
  public let missingImages: Int

  /// What encodes and decodes a file.
  public struct Key {
    let space: CodeSpace
    let classes: Int
    public let prior: (any CodePrior)?
    /// What files are marked with.
    public let fingerprint: UInt64

    /// - Parameters:
    ///   - model: the codes are of it.
    ///   - prior: gives frequent choices fewer bits; nil for equal bits.
    public init(_ model: Model, prior: (any CodePrior)? = nil) throws {
      self.init(
        space: model.network.codeSpace, classes: model.network.classes, prior: prior,
        modelFingerprint: try model.fingerprint())
    }

    /// - Parameters:
    ///   - space: the codes are of it.
    ///   - classes: how many the model has.
    ///   - prior: nil for equal bits.
    ///   - modelFingerprint: see `Model.fingerprint`.
    public init(space: CodeSpace, classes: Int, prior: (any CodePrior)?, modelFingerprint: UInt64) {
      precondition(prior.map { $0.space == space } ?? true, "the prior is of another model")
      self.space = space
      self.classes = classes
      self.prior = prior
      fingerprint = CodeFile.fingerprint(model: modelFingerprint, prior: prior)
    }
  }

  /// The fingerprint of a model and a prior, which files are marked with.
  public static func fingerprint(model: UInt64, prior: (any CodePrior)?) -> UInt64 {
    guard let prior else { return model }
    return (model ^ prior.fingerprint.byteSwapped) &* 0x9E37_79B9_7F4A_7C15
  }

  /// Images that share a block: it bounds the memory of a prior.
  static let blockSize = 1 << 14

  /// The bytes of a file.
  ///
  /// - Parameters:
  ///   - table: at least one code.
  ///   - key: of the table's model.
  /// - Throws: `LatentCodeError` when the codes do not fit the model; what the prior throws.
  public static func data(_ table: CodeTable, key: Key) throws -> Data {
    guard table.space == key.space, table.count > 0, table.count <= CodeFileHeader.maxCount else {
      throw LatentCodeError("\(table.count) codes do not fit a file of this model")
    }
    var flags: CodeFileHeader.Flags = key.prior == nil ? [] : .usesPrior
    if table.levelCounts != nil { flags.insert(.hasLevelCounts) }
    if let classes = table.classes {
      guard classes.allSatisfy({ (0..<key.classes).contains($0) }) else {
        throw LatentCodeError("a class is not among the model's \(key.classes)")
      }
      flags.insert(.hasClasses)
    }
    let payload = try CodeBlocks(key: key).encode(table)
    var bytes = CodeFileHeader(
      fingerprint: key.fingerprint, flags: flags, count: table.count, payloadLength: payload.count
    ).bytes
    bytes.append(contentsOf: payload)
    let sum = Checksum.crc32(bytes)
    for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: sum >> UInt32(shift))) }
    return bytes
  }

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - data: the file.
  ///   - path: for messages.
  ///   - key: of the model that the file is for.
  ///   - allowsPrefix: whether to read what there is of a file whose end is missing.
  /// - Throws: `FileError` (`invalid`) when it is damaged, not whole, or of another model or prior; what the prior throws.
  public init(_ data: Data, path: String, key: Key, allowsPrefix: Bool = false) throws {
    let header = try CodeFileHeader(data, path: path)
    func invalid(_ problem: String, _ remedy: String) -> FileError {
      FileError(.invalid, path: path, problem: problem, remedy: remedy)
    }
    let end = header.length + header.payloadLength
    let isWhole = data.count >= end + 4
    guard isWhole || allowsPrefix else {
      throw invalid(
        "ends after \(data.count) of \(end + 4) bytes", "get the whole file, or decode what is there with --partial")
    }
    guard data.count <= end + 4 else {
      throw invalid("has \(data.count - end - 4) bytes after its end", "the file is damaged; get it again")
    }
    if isWhole {
      let sum = data.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      guard sum == Checksum.crc32(data.dropLast(4)) else {
        throw invalid("does not fit its checksum", "the file is damaged; get it again")
      }
    }
    guard header.usesPrior == (key.prior != nil) else {
      throw invalid(
        header.usesPrior ? "was encoded with a prior" : "was encoded without a prior",
        header.usesPrior ? "give the prior with --prior" : "give --prior none")
    }
    guard header.fingerprint == key.fingerprint else {
      throw invalid(
        "was encoded with another model" + (header.usesPrior ? " or prior" : ""),
        "give the model that it was encoded with, with --network")
    }
    let payload = [UInt8](data.dropFirst(header.length).prefix(header.payloadLength))
    let blocks = CodeBlocks(key: key)
    guard
      header.count > 0,
      header.count
        <= blocks.capacity(
          hasLevelCounts: header.flags.contains(.hasLevelCounts), payloadLength: header.payloadLength)
    else {
      throw invalid(
        "claims \(header.count) images in \(header.payloadLength) bytes", "the file is damaged; get it again")
    }
    guard !header.flags.contains(.hasClasses) || key.classes > 0 else {
      throw invalid("has classes, and the model has none", "the file is damaged; get it again")
    }
    (table, missingImages) = try blocks.decode(
      payload, header: header, isWhole: payload.count == header.payloadLength)
    guard table.count > 0 else {
      throw invalid("ends before the first level of its first image", "get more of the file")
    }
    payloadBytes = payload.count
    fileBytes = data.count
  }
}
