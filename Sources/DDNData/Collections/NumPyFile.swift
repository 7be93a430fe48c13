import Archives
import DDNFiles
import Foundation

/// An array in NumPy's npy format; integers only, in C order.
///
/// Source: the format's description in NumPy's documentation, `numpy.lib.format`.
struct NumPyFile {
  /// None of them zero.
  let shape: [Int]
  /// Bytes of a number.
  let itemSize: Int
  let isSigned: Bool
  private let isBigEndian: Bool
  /// The numbers as the file has them.
  let bytes: Data

  private static let magic = Data([0x93]) + Data("NUMPY".utf8)
  private static let longestHeader = 10_000

  /// Whether these first bytes of a content are an array's.
  static func begins(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: magic) }

  /// - Parameter path: of the file, for messages.
  /// - Throws: `FileError` (`invalid`) when it is cut off or damaged, or holds anything but integers in C order.
  init(_ data: Data, path: String) throws(FileError) {
    func invalid(_ problem: String, _ remedy: String = "save it again with numpy.save or numpy.savez") -> FileError {
      FileError(.invalid, path: path, problem: problem, remedy: remedy)
    }
    guard Self.begins(data), data.count >= 12 else { throw invalid("is no array of NumPy, or cut off") }
    let start = LittleEndian(data, from: data.startIndex)
    let isFirst = start.bytes(6, 1).first == 1
    let headerStart = isFirst ? 10 : 12
    let headerCount = isFirst ? Int(start.uint16(8)) : Int(start.uint32(8))
    guard headerCount <= Self.longestHeader, headerStart + headerCount <= data.count else {
      throw invalid("ends within its header, or has one of \(headerCount) bytes")
    }
    let header = String(decoding: start.bytes(headerStart, headerCount), as: UTF8.self)
    guard let type = header.firstMatch(of: /'descr': *'([|<>=])([a-zA-Z])(\d{1,2})'/),
      let shapeText = header.firstMatch(of: /'shape': *\(([\d, ]*)\)/)
    else { throw invalid("is no plain array of numbers: \(quoted(header))") }
    guard header.contains(/'fortran_order': *False/) else {
      throw invalid("is in Fortran's order", "save numpy.ascontiguousarray of it")
    }
    guard ["u", "i"].contains(type.2), let size = Int(type.3), [1, 2, 4, 8].contains(size) else {
      throw invalid(
        "holds numbers of the type \(type.2)\(type.3), not integers", "save it as uint8 images, or integer labels")
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
      throw invalid("holds \(content.count) bytes, and its shape (\(shapeText.1)) promises other ones")
    }
    (self.shape, itemSize, bytes) = (shape, size, content)
    (isSigned, isBigEndian) = (type.2 == "i", type.1 == ">")
  }

  /// All numbers; those beyond Int's range are its highest.
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
