import DDNFiles
import Foundation

/// One kind of safetensors file, such as models: what its metadata say in "format", "version" and JSON values by key.
public struct FileKind: Sendable {
  /// With its article, for messages: "a model".
  public let noun: String
  /// The metadata entry "format".
  public let format: String
  /// Those that can be read.
  public let versions: ClosedRange<Int>
  /// The command that writes such files, for messages.
  public let command: String

  public init(_ noun: String, format: String, versions: ClosedRange<Int>, command: String) {
    (self.noun, self.format, self.versions, self.command) = (noun, format, versions, command)
  }

  /// The versions in words.
  fileprivate var readVersions: String {
    let (first, last) = (versions.lowerBound, versions.upperBound)
    return first == last ? "version \(first)" : "versions \(first) to \(last)"
  }

  /// The metadata of a new file.
  ///
  /// - Parameters:
  ///   - version: one of `versions`.
  ///   - key: of the value that describes the content.
  ///   - description: stored as JSON.
  ///   - training: how the content came to be, as JSON under "training"; nil leaves it out.
  /// - Throws: `EncodingError`, for numbers that JSON lacks.
  public func metadata(
    version: Int, key: String, _ description: some Encodable, training: (some Encodable)?
  ) throws -> [String: String] {
    let encoder = JSONEncoder.oneLine
    func text(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
    var metadata = ["format": format, "version": String(version), key: try text(description)]
    if let training { metadata["training"] = try text(training) }
    return metadata
  }
}

extension SafetensorsFile {
  /// Maps a file and checks that it is of a kind that can be read.
  ///
  /// - Throws: `FileError`: `missing` or `failed` when it cannot be read, `invalid` when it breaks the format, is of
  ///   another kind or of a newer version.
  public init(contentsOf url: URL, kind: FileKind) throws(FileError) {
    try self.init(contentsOf: url)
    guard isOf(kind) else {
      throw invalid("is not \(kind.noun) of this program", remedy: "give a file that \(kind.command) wrote")
    }
    guard let version = metadata["version"].flatMap({ Int($0) }), kind.versions.contains(version) else {
      throw invalid(
        "has format version \(metadata["version"].map { quoted($0) } ?? "none")",
        remedy: "use the version of ddn that wrote it; this one reads \(kind.readVersions)")
    }
  }

  /// Whether the file says that it is of this kind, of any version.
  public func isOf(_ kind: FileKind) -> Bool { metadata["format"] == kind.format }

  /// The error of a file that is not as it should be.
  public func invalid(_ problem: String, remedy: String = "download it or make it again") -> FileError {
    FileError(.invalid, path: url.path, problem: problem, remedy: remedy)
  }

  /// A JSON value in the metadata.
  ///
  /// - Throws: `FileError` (`invalid`) when it is missing or of another type.
  public func value<T: Decodable>(_ key: String, as type: T.Type = T.self) throws(FileError) -> T {
    guard let value = metadata[key].flatMap({ try? JSONDecoder().decode(type, from: Data($0.utf8)) }) else {
      throw invalid("its metadata '\(key)' is missing or cannot be read")
    }
    return value
  }

  /// A JSON value in the metadata; nil when there is none.
  ///
  /// - Throws: `FileError` (`invalid`) when it is of another type.
  public func optionalValue<T: Decodable>(_ key: String, as type: T.Type = T.self) throws(FileError) -> T? {
    try metadata[key] == nil ? nil : value(key)
  }

  /// Checks that the file has exactly these tensors.
  ///
  /// - Throws: `FileError` (`invalid`) naming the first that is missing, too many or of another shape or type.
  public func check(tensors expected: [String: (dtype: DType, shape: [Int])]) throws(FileError) {
    if let extra = entries.keys.sorted().first(where: { expected[$0] == nil }) {
      throw invalid("has a tensor named \(quoted(extra)), which is unknown")
    }
    for (name, (dtype, shape)) in expected.sorted(by: { $0.key < $1.key }) {
      guard let entry = entries[name] else { throw invalid("has no tensor named '\(name)'") }
      guard entry.shape == shape, entry.dtype == dtype else {
        throw invalid("'\(name)' is \(entry.dtype.rawValue) \(entry.shape), not \(dtype.rawValue) \(shape)")
      }
    }
  }
}
