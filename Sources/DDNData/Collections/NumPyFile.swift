import Archives
import DDNFiles
import Foundation

/// An array in C order in NumPy's npy format.
///
/// Source: NumPy's documentation of `numpy.lib.format`.
package struct NumPyFile {
  /// The letters of `descr`.
  package enum Kind: String {
    case unsigned = "u"
    case signed = "i"
    case float = "f"
    /// UTF-32.
    case text = "U"
  }

  /// Positive sizes.
  package let shape: [Int]
  let kind: Kind
  /// Bytes per element.
  let itemSize: Int
  private let isBigEndian: Bool
  /// Elements in the file's byte order.
  let bytes: Data

  var isSigned: Bool { kind == .signed }

  private static let magic = Data([0x93]) + Data("NUMPY".utf8)
  private static let maxHeaderBytes = 10_000

  /// Whether content starts with the format's magic bytes.
  package static func begins(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: magic) }

  /// - Parameters:
  ///   - data: the whole file.
  ///   - kinds: of elements that are expected.
  ///   - path: for error messages.
  /// - Throws: `FileError` (`invalid`) for a truncated or damaged file, and for arrays of other kinds or not in C order.
  package init(_ data: Data, of kinds: [Kind] = [.unsigned, .signed], path: String) throws(FileError) {
    func invalid(_ problem: String, _ remedy: String = "save it again with numpy.save or numpy.savez") -> FileError {
      FileError(.invalid, path: path, problem: problem, remedy: remedy)
    }
    guard Self.begins(data), data.count >= 12 else { throw invalid("is not a NumPy array, or is truncated") }
    let start = LittleEndian(data, from: data.startIndex)
    let isFirst = start.bytes(6, 1).first == 1
    let headerStart = isFirst ? 10 : 12
    let headerCount = isFirst ? Int(start.uint16(8)) : Int(start.uint32(8))
    guard headerCount <= Self.maxHeaderBytes, headerStart + headerCount <= data.count else {
      throw invalid("ends within its header of \(headerCount) bytes, or the header exceeds \(Self.maxHeaderBytes)")
    }
    let header = String(decoding: start.bytes(headerStart, headerCount), as: UTF8.self)
    guard let type = header.firstMatch(of: /'descr': *'([|<>=])([a-zA-Z])(\d{1,4})'/),
      let shapeText = header.firstMatch(of: /'shape': *\(([\d, ]*)\)/)
    else { throw invalid("is not a plain array of numbers: \(quoted(header))") }
    guard header.contains(/'fortran_order': *False/) else {
      throw invalid("is in Fortran order", "save numpy.ascontiguousarray of it")
    }
    guard let kind = Kind(rawValue: String(type.2)), kinds.contains(kind), let number = Int(type.3),
      kind == .text ? number > 0 : kind == .float ? [4, 8].contains(number) : [1, 2, 4, 8].contains(number)
    else {
      throw kinds.contains(.float)
        ? invalid("has elements of type \(type.2)\(type.3), not float32 or float64")
        : kinds.contains(.text)
          ? invalid("has elements of type \(type.2)\(type.3), not text")
          : invalid(
            "has elements of type \(type.2)\(type.3), not integers", "save uint8 images or integer labels")
    }
    let size = kind == .text ? 4 * number : number
    var count = 1
    var shape: [Int] = []
    for part in shapeText.1.split(whereSeparator: { $0 == "," || $0 == " " }) {
      guard let number = Int(part), number > 0, count.multipliedReportingOverflow(by: number).overflow == false else {
        throw invalid("has an impossible shape, (\(shapeText.1))")
      }
      shape.append(number)
      count *= number
    }
    let content = data.dropFirst(headerStart + headerCount)
    guard count <= content.count / size, count * size == content.count else {
      throw invalid("has \(content.count) bytes, which do not match its shape (\(shapeText.1))")
    }
    (self.shape, itemSize, bytes) = (shape, size, content)
    (self.kind, isBigEndian) = (kind, type.1 == ">")
  }

  /// The elements' bits.
  private var words: [UInt64] { words(of: itemSize) }

  private func words(of size: Int) -> [UInt64] {
    bytes.withUnsafeBytes { buffer in
      stride(from: 0, to: buffer.count, by: size).map { start in
        var number: UInt64 = 0
        for offset in 0..<size {
          number = number << 8 | UInt64(buffer[start + (isBigEndian ? offset : size - 1 - offset)])
        }
        return number
      }
    }
  }

  /// All floating-point elements.
  package var doubles: [Double] {
    precondition(kind == .float, "elements are \(kind)")
    return words.map {
      itemSize == 8 ? Double(bitPattern: $0) : Double(Float(bitPattern: UInt32(truncatingIfNeeded: $0)))
    }
  }

  /// The first text; its padding is left out.
  package var text: String {
    precondition(kind == .text, "elements are \(kind)")
    let scalars = words(of: 4).prefix(itemSize / 4).prefix { $0 != 0 }
    return String(String.UnicodeScalarView(scalars.map { Unicode.Scalar(UInt32(truncatingIfNeeded: $0)) ?? "?" }))
  }

  /// All elements; clamped to Int's range.
  package var integers: [Int] {
    words.map { number in
      guard isSigned else { return Int(clamping: number) }
      let unused = UInt64(64 - 8 * itemSize)
      return Int(Int64(bitPattern: number << unused) >> Int64(unused))
    }
  }

  /// A file of float64.
  ///
  /// - Parameters:
  ///   - doubles: in C order.
  ///   - shape: whose product is their count.
  package static func data(_ doubles: [Double], shape: [Int]) -> Data {
    data("<f8", shape: shape, doubles.withUnsafeBytes { Data($0) })
  }

  /// A file of one text, without dimensions.
  package static func data(_ text: String) -> Data {
    let scalars = text.unicodeScalars.map { $0.value.littleEndian }
    return data("<U\(scalars.count)", shape: [], scalars.withUnsafeBytes { Data($0) })
  }

  /// A file of one integer, without dimensions.
  package static func data(_ integer: Int) -> Data {
    data("<i8", shape: [], withUnsafeBytes(of: Int64(integer).littleEndian) { Data($0) })
  }

  private static func data(_ type: String, shape: [Int], _ content: Data) -> Data {
    let sizes = shape.map { "\($0)," }.joined(separator: " ")
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
    // The content starts at a multiple of 64 bytes.
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    let count = UInt16(header.utf8.count)
    return magic + Data([1, 0, UInt8(count & 0xFF), UInt8(count >> 8)]) + Data(header.utf8) + content
  }
}
