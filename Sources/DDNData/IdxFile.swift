import Archives
import DDNFiles
import Foundation

/// An array of bytes in MNIST's idx format, read from a plain or a gzip file.
///
/// Source: the file format's description at the end of Yann LeCun's MNIST page.
public struct IdxFile: Sendable, Equatable {
  /// What the file must hold; the magic number says which.
  public enum Content: UInt32, Sendable {
    /// `[N]`, one label an image.
    case labels = 0x0000_0801
    /// `[N, height, width]`, one channel.
    case images = 0x0000_0803

    var dimensionCount: Int { Int(rawValue & 0xff) }
  }

  /// The largest array that is read.
  static let maxByteCount = 4 << 30

  /// The array's sizes, none of them zero: `[N]` for labels, `[N, height, width]` for images.
  public let dimensions: [Int]
  /// The array's elements, the last dimension fastest.
  public let bytes: [UInt8]

  /// An array that was read from another format.
  init(dimensions: [Int], bytes: [UInt8]) {
    self.dimensions = dimensions
    self.bytes = bytes
  }

  /// Reads a file and checks that it holds exactly what its header promises.
  ///
  /// - Throws: `FileError`: `missing` when there is no such file, `invalid` when it is not an idx file of `content`, is
  ///   empty of elements, damaged, cut off or too long, or promises more than 4 GiB. Nothing is allocated for a
  ///   promise that the file is too short to keep.
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
        problem: "this is no idx file of \(content): it \(found), not with \(Self.hexadecimal(content.rawValue))",
        remedy: "choose MNIST's file of \(content)")
    }
    guard words.count == 1 + content.dimensionCount else {
      throw Self.invalid(path, "ends within its header, after \(header.count) bytes")
    }
    dimensions = words.dropFirst().map { Int($0) }
    let size = dimensions.map(String.init).joined(separator: " x ")
    guard let count = Self.product(dimensions), count <= Self.maxByteCount else {
      throw Self.invalid(path, "promises \(size) bytes, more than the 4 GiB that are read")
    }
    guard count > 0 else { throw Self.invalid(path, "holds nothing: its size is \(size)") }
    guard count <= source.upperBound else {
      throw Self.invalid(path, "is cut off: it promises \(size) bytes and cannot hold more than \(source.upperBound)")
    }
    bytes = try source.bytes(count)
    guard bytes.count == count else {
      throw Self.invalid(path, "is cut off: it promises \(count) bytes (\(size)) and holds \(bytes.count)")
    }
    // Reading past the end also lets gzip content check its CRC.
    guard try source.bytes(1).isEmpty else {
      throw Self.invalid(path, "goes on after the \(count) bytes (\(size)) that it promises")
    }
  }

  /// Nil when the product does not fit.
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
