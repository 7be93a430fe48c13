import DDNFiles
import Foundation

/// A program's answer as it arrives: a line `{"scores":N}` and N float32.
struct ScoreAnswer {
  /// What is wrong, to follow "it".
  struct Malformed: Error {
    let problem: String
  }

  private static let longestHeader = 4096

  private let count: Int
  private var header: [UInt8] = []
  private var hasHeader = false
  private var values: [UInt8] = []

  /// - Parameter count: how many scores are due; 0 if none is, not even a header.
  init(count: Int) {
    self.count = count
    hasHeader = count == 0
  }

  var isComplete: Bool { hasHeader && values.count == byteCount }

  private var byteCount: Int { count * MemoryLayout<Float>.size }

  /// How far it has come, for messages.
  var progress: String {
    hasHeader ? "after \(values.count) of the \(byteCount) bytes of its scores" : "before it answered"
  }

  /// In the order of the images.
  var scores: [Float] {
    values.withUnsafeBytes { bytes in
      (0..<count).map {
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
      }
    }
  }

  mutating func append(_ bytes: Data) throws(Malformed) {
    var bytes = bytes
    if !hasHeader {
      let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
      header += bytes[..<(end ?? bytes.endIndex)]
      guard header.count <= Self.longestHeader else {
        throw Malformed(problem: "wrote more than \(Self.longestHeader) bytes without an end of line; \(expected)")
      }
      guard let end else { return }
      try readHeader()
      bytes = bytes[(end + 1)...]
    }
    values += bytes
    guard values.count <= byteCount else {
      let extra = String(decoding: values[byteCount...], as: UTF8.self)
      throw Malformed(problem: "wrote more than its scores to standard output: \(quoted(extra))")
    }
  }

  private mutating func readHeader() throws(Malformed) {
    struct Header: Decodable {
      let scores: Int
    }
    guard let found = try? JSONDecoder().decode(Header.self, from: Data(header)) else {
      throw Malformed(problem: "wrote the line \(quoted(String(decoding: header, as: UTF8.self))); \(expected)")
    }
    guard found.scores == count else {
      throw Malformed(problem: "answered \(found.scores) scores, not \(count), one for each node of each image")
    }
    hasHeader = true
  }

  private var expected: String { #"its answer starts with the line {"scores":\#(count)}"# }
}
