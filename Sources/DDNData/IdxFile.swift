import Archives
import DDNFiles
import Foundation

/// A byte array in MNIST's idx format, plain or gzip.
///
/// Source: the format's description on Yann LeCun's MNIST page.
public struct IdxFile: Sendable, Equatable {
  /// The expected content; the raw value is the magic number.
  public enum Content: UInt32, Sendable {
    /// `[N]`.
    case labels = 0x0000_0801
    /// `[N, height, width]`.
    case images = 0x0000_0803

    var dimensionCount: Int { Int(rawValue & 0xff) }
  }

  static let maxByteCount = 4 << 30

  /// Positive sizes: `[N]` for labels, `[N, height, width]` for images.
  public let dimensions: [Int]
  /// Elements, last dimension fastest.
  public let bytes: [UInt8]

  init(dimensions: [Int], bytes: [UInt8]) {
    self.dimensions = dimensions
    self.bytes = bytes
  }

  /// Reads a file and checks its length against its header.
  ///
  /// - Throws: `FileError`: `missing`; `invalid` when it is not an idx file of `content`, has no elements, is damaged,
  ///   truncated or too long, or declares more than 4 GiB. Memory is allocated only when the file is long enough.
  public init(contentsOf url: URL, content: Content) throws(FileError) {
    let source = try openByteSource(url)
    let path = url.path

    let header = try source.bytes(4 * (1 + content.dimensionCount))
    let words = stride(from: 0, to: header.count & ~3, by: 4).map { start in
      header[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }
    guard let magic = words.first, magic == content.rawValue else {
      let found = words.first.map { "starts with " + Self.hexadecimal($0) } ?? "holds \(header.count) bytes"
      throw FileError(
        .invalid, path: path,
        problem: "is not an idx file of \(content): it \(found), not with \(Self.hexadecimal(content.rawValue))",
        remedy: "use MNIST's file of \(content)")
    }
    guard words.count == 1 + content.dimensionCount else {
      throw Self.invalid(path, "ends within its header, after \(header.count) bytes")
    }
    dimensions = words.dropFirst().map { Int($0) }
    let size = dimensions.map(String.init).joined(separator: " x ")
    guard let count = Self.product(dimensions), count <= Self.maxByteCount else {
      throw Self.invalid(path, "declares \(size) bytes, more than the limit of 4 GiB")
    }
    guard count > 0 else { throw Self.invalid(path, "is empty: its size is \(size)") }
    guard count <= source.upperBound else {
      throw Self.invalid(path, "is truncated: it declares \(size) bytes and has at most \(source.upperBound)")
    }
    bytes = try source.bytes(count)
    guard bytes.count == count else {
      throw Self.invalid(path, "is truncated: it declares \(count) bytes (\(size)) and has \(bytes.count)")
    }
    // Reading past the end also checks gzip's CRC.
    guard try source.bytes(1).isEmpty else {
      throw Self.invalid(path, "has more than the \(count) bytes (\(size)) that it declares")
    }
  }

  /// Nil on overflow.
  private static func product(_ factors: [Int]) -> Int? {
    var product = 1
    for factor in factors {
      let (next, overflow) = product.multipliedReportingOverflow(by: factor)
      if overflow { return nil }
      product = next
    }
    return product
  }

  private static func hexadecimal(_ word: UInt32) -> String {
    let digits = String(word, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
  }

  private static func invalid(_ path: String, _ problem: String) -> FileError {
    FileError(.invalid, path: path, problem: problem, remedy: "download it again")
  }
}
