import DDNFiles
import Foundation

/// A safetensors file, memory-mapped; its header is validated when it is opened.
///
/// Eight bytes of little-endian header length, a JSON header, then the tensors' bytes without gaps.
///
/// - Source: https://huggingface.co/docs/safetensors, section Format.
public struct SafetensorsFile: Sendable {
  /// One tensor's type, shape and byte range.
  public struct Entry: Sendable, Equatable {
    public let dtype: DType
    public let shape: [Int]
    /// Relative to the start of the data section, after the header.
    public let byteRange: Range<Int>
  }

  public let url: URL
  /// Free text by name.
  public let metadata: [String: String]
  public let entries: [String: Entry]

  private let bytes: Data
  private let dataStart: Int

  /// Longer headers are refused, as the format's own library does.
  static let longestHeader = 100_000_000
  /// A longer header needs as many bytes of tensors, so that a small file of names alone does not take minutes.
  private static let longestFreeHeader = 8_000_000
  static let lengthBytes = 8

  /// Maps the file and checks that its header describes every byte after it exactly once.
  ///
  /// - Throws: `FileError`: `missing` or `failed` when it cannot be read, `invalid` when it breaks the format.
  public init(contentsOf url: URL) throws(FileError) {
    let bytes = try InputFile.map(url)
    do throws(SafetensorsProblem) {
      let headerBytes = try Self.headerLength(of: bytes)
      dataStart = Self.lengthBytes + headerBytes
      let json = [UInt8](bytes.dropFirst(Self.lengthBytes).prefix(headerBytes))
      let header = try SafetensorsHeader(parsing: json, dataBytes: bytes.count - dataStart)
      metadata = header.metadata
      entries = header.entries
    } catch {
      throw FileError(
        .invalid, path: url.path, problem: error.text, remedy: "download it again or save it again as safetensors")
    }
    self.url = url
    self.bytes = bytes
  }

  /// Beginnings of other files that are taken for models.
  private static let otherKinds: [(beginning: [UInt8], name: String)] = [
    ([0x89, 0x50, 0x4E, 0x47], "a PNG picture"), ([0xFF, 0xD8, 0xFF], "a JPEG picture"),
    ([0x50, 0x4B, 0x03, 0x04], "a zip file, as those of torch.save, which ddn import reads"),
    ([0x80, 0x02], "a pickle, which ddn import reads"), ([0x80, 0x04], "a pickle, which ddn import reads"),
    ([0xDD, 0x4E], "a file of codes, which ddn decode reads"),
  ]

  private static func headerLength(of bytes: Data) throws(SafetensorsProblem) -> Int {
    if let other = otherKinds.first(where: { bytes.starts(with: $0.beginning) }),
      bytes.count < lengthBytes + 1 || bytes[bytes.startIndex + lengthBytes] != UInt8(ascii: "{")
    {
      throw SafetensorsProblem("is no safetensors file but \(other.name)")
    }
    guard bytes.count >= lengthBytes else {
      throw SafetensorsProblem("has \(bytes.count) bytes, too few for the 8 of a header's length")
    }
    let length = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length > 0 else { throw SafetensorsProblem("has an empty header") }
    guard length <= UInt64(longestHeader) else {
      throw SafetensorsProblem("says its header has \(length) bytes, above the limit of \(longestHeader)")
    }
    guard length <= UInt64(bytes.count - lengthBytes) else {
      throw SafetensorsProblem("ends after \(bytes.count - lengthBytes) of its header's \(length) bytes")
    }
    guard length <= UInt64(max(longestFreeHeader, bytes.count / 2)) else {
      throw SafetensorsProblem("has a header of \(length) bytes, more than its tensors have")
    }
    return Int(length)
  }

  /// The entry called `name`.
  ///
  /// - Throws: `FileError` (`invalid`) when there is none.
  public func entry(_ name: String) throws(FileError) -> Entry {
    guard let entry = entries[name] else {
      throw FileError(
        .invalid, path: url.path, problem: "has no tensor \(quoted(name))",
        remedy: "use the file that belongs to this model")
    }
    return entry
  }

  /// Calls `body` with the tensor's bytes, little-endian and possibly unaligned, valid during the call.
  ///
  /// - Throws: what `body` throws; `FileError` (`invalid`) when there is no tensor `name`.
  public func withBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    let range = try entry(name).byteRange
    return try bytes.withUnsafeBytes { file in
      try body(UnsafeRawBufferPointer(rebasing: file[(dataStart + range.lowerBound)..<(dataStart + range.upperBound)]))
    }
  }

  /// The elements of an `F32` tensor in row-major order.
  ///
  /// - Throws: `FileError` (`invalid`) when there is no tensor `name` or it has another type.
  public func floats(_ name: String) throws -> [Float] { try elements(name, of: .float32, zero: 0) }

  /// The elements of an `F64` tensor in row-major order; throws as `floats` does.
  public func doubles(_ name: String) throws -> [Double] { try elements(name, of: .float64, zero: 0) }

  /// The elements of an `I32` tensor in row-major order; throws as `floats` does.
  public func int32s(_ name: String) throws -> [Int32] { try elements(name, of: .int32, zero: 0) }

  private func elements<T: BitwiseCopyable>(_ name: String, of dtype: DType, zero: T) throws -> [T] {
    let found = try entry(name).dtype
    guard found == dtype else {
      throw FileError(
        .invalid, path: url.path,
        problem: "tensor \(quoted(name)) is \(found.rawValue), not \(dtype.rawValue)",
        remedy: "use the file that belongs to this model")
    }
    return try withBytes(of: name) { source in
      var elements = [T](repeating: zero, count: source.count / MemoryLayout<T>.stride)
      elements.withUnsafeMutableBytes { $0.copyMemory(from: source) }
      return elements
    }
  }
}
