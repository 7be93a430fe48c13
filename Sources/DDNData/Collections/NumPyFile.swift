import Archives
import DDNFiles
import Foundation

/// An integer array in C order in NumPy's npy format.
///
/// Source: NumPy's documentation of `numpy.lib.format`.
struct NumPyFile {
  /// Positive sizes.
  let shape: [Int]
  /// Bytes per element.
  let itemSize: Int
  let isSigned: Bool
  private let isBigEndian: Bool
  /// Elements in the file's byte order.
  let bytes: Data

  private static let magic = Data([0x93]) + Data("NUMPY".utf8)
  private static let maxHeaderBytes = 10_000

  /// Whether content starts with the format's magic bytes.
  static func begins(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: magic) }

  /// - Parameter path: for error messages.
  /// - Throws: `FileError` (`invalid`) for a truncated or damaged file, and for arrays other than integers in C order.
  init(_ data: Data, path: String) throws(FileError) {
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
    guard let type = header.firstMatch(of: /'descr': *'([|<>=])([a-zA-Z])(\d{1,2})'/),
      let shapeText = header.firstMatch(of: /'shape': *\(([\d, ]*)\)/)
    else { throw invalid("is not a plain array of numbers: \(quoted(header))") }
    guard header.contains(/'fortran_order': *False/) else {
      throw invalid("is in Fortran order", "save numpy.ascontiguousarray of it")
    }
    guard ["u", "i"].contains(type.2), let size = Int(type.3), [1, 2, 4, 8].contains(size) else {
      throw invalid("has elements of type \(type.2)\(type.3), not integers", "save uint8 images or integer labels")
    }
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
    (isSigned, isBigEndian) = (type.2 == "i", type.1 == ">")
  }

  /// All elements; clamped to Int's range.
  var integers: [Int] {
    stride(from: bytes.startIndex, to: bytes.endIndex, by: itemSize).map { start in
      var number: UInt64 = 0
      for offset in 0..<itemSize {
        number = number << 8 | UInt64(bytes[start + (isBigEndian ? offset : itemSize - 1 - offset)])
      }
      guard isSigned else { return Int(clamping: number) }
      let unused = UInt64(64 - 8 * itemSize)
      return Int(Int64(bitPattern: number << unused) >> Int64(unused))
    }
  }
}
