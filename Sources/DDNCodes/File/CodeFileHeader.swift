import DDNFiles
import Foundation

/// The beginning of a `.ddn` file: 12 bytes for one image, at most 17 for more.
///
///     bytes  2  DD 4E
///            1  format version in the high four bits, flags in the low four
///            8  fingerprint of the model and the prior
///         1-5  number of images, if flag `hasSeveral` is set
///         1-5  number of bytes in the payload, B
///            B  payload
///            4  CRC-32 of everything before
///
/// Numbers of variable length have seven bits a byte, the lowest first, and the high bit in all bytes but the last; the
/// others are big-endian.
public struct CodeFileHeader: Sendable, Equatable {
  struct Flags: OptionSet, Equatable {
    let rawValue: UInt8
    /// The frequencies are a prior's; otherwise all nodes are equally likely.
    static let usesPrior = Flags(rawValue: 1)
    /// The number of images follows; otherwise there is one.
    static let hasSeveral = Flags(rawValue: 2)
    /// Every code has a class.
    static let hasClasses = Flags(rawValue: 4)
    /// Every code has its own number of levels; otherwise all are complete.
    static let hasLevelCounts = Flags(rawValue: 8)
  }

  /// Of the model, and of the prior if there is one: see `CodeFile.fingerprint`.
  public let fingerprint: UInt64
  let flags: Flags
  /// Number of images.
  public let count: Int
  let payloadLength: Int

  public var usesPrior: Bool { flags.contains(.usesPrior) }

  static let magic: [UInt8] = [0xDD, 0x4E]
  static let version: UInt8 = 1
  /// The most images in a file.
  public static let maxCount = 1 << 23
  private static let maxPayload = 1 << 32

  var bytes: Data {
    var bytes = Data(Self.magic + [Self.version << 4 | flags.rawValue])
    for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: fingerprint >> shift)) }
    if flags.contains(.hasSeveral) { bytes.append(variable: count) }
    bytes.append(variable: payloadLength)
    return bytes
  }

  init(fingerprint: UInt64, flags: Flags, count: Int, payloadLength: Int) {
    self.fingerprint = fingerprint
    self.flags = count == 1 ? flags : flags.union(.hasSeveral)
    self.count = count
    self.payloadLength = payloadLength
  }

  /// Whether a file begins like a `.ddn` file.
  public static func begins(_ data: Data) -> Bool { data.prefix(2).elementsEqual(magic) }

  /// Reads the header of a file.
  ///
  /// - Parameters:
  ///   - data: the file, or its beginning.
  ///   - path: for messages.
  /// - Throws: `FileError` (`invalid`) when it is not such a header, or not whole.
  public init(_ data: Data, path: String) throws(FileError) {
    var reader = ByteReader(data, path: path)
    guard Self.begins(data) else {
      throw FileError(.invalid, path: path, problem: "is not a file of codes", remedy: "use a .ddn file of ddn encode")
    }
    _ = try reader.bytes(2)
    let byte = try reader.bytes(1)[0]
    guard byte >> 4 == Self.version else {
      throw FileError(
        .invalid, path: path, problem: "has format version \(byte >> 4)",
        remedy: "use the version of ddn that wrote it; this one reads version \(Self.version)")
    }
    flags = Flags(rawValue: byte & 15)
    fingerprint = try reader.bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    count = flags.contains(.hasSeveral) ? try reader.variable(upTo: Self.maxCount) : 1
    payloadLength = try reader.variable(upTo: Self.maxPayload)
    length = reader.position
  }

  /// Bytes of the header itself; 0 for one that was not read.
  private(set) var length = 0
}

/// Reads bytes one after the other.
private struct ByteReader {
  private let data: Data
  private let path: String
  private(set) var position = 0

  init(_ data: Data, path: String) {
    self.data = data
    self.path = path
  }

  mutating func bytes(_ count: Int) throws(FileError) -> [UInt8] {
    guard position + count <= data.count else {
      throw FileError(
        .invalid, path: path, problem: "ends within its header, after \(data.count) bytes", remedy: "get the whole file"
      )
    }
    let start = data.startIndex + position
    position += count
    return [UInt8](data[start..<start + count])
  }

  mutating func variable(upTo bound: Int) throws(FileError) -> Int {
    var (number, shift) = (0, 0)
    while true {
      let byte = try bytes(1)[0]
      number |= Int(byte & 127) << shift
      guard byte >= 128, number <= bound else { break }
      shift += 7
      guard shift < 42 else {
        number = .max
        break
      }
    }
    guard number <= bound else {
      throw FileError(.invalid, path: path, problem: "gives a number beyond \(bound)", remedy: "the file is damaged")
    }
    return number
  }
}

extension Data {
  fileprivate mutating func append(variable number: Int) {
    var rest = number
    while rest >= 128 {
      append(UInt8(rest & 127) | 128)
      rest >>= 7
    }
    append(UInt8(rest))
  }
}
