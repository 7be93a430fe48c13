import Archives
import DDN
import DDNCodes
import DDNFiles
import Foundation

/// Reads any bytes as a file of codes, also with the fingerprint and the checksum that it needs to be read further.
enum FuzzedCodes {
  static let space = CodeSpace([
    .init(nodes: 5, side: 1), .init(nodes: 64, side: 2), .init(nodes: 3, side: 2), .init(nodes: 512, side: 4),
  ])

  static func read(_ data: Data) {
    for prior in [nil, FixedPrior()] {
      let key = CodeFile.Key(space: space, classes: 10, prior: prior, modelFingerprint: 1)
      for data in [data, repaired(data, key)] {
        for allowsPrefix in [false, true] {
          guard let file = try? CodeFile(data, path: "file", key: key, allowsPrefix: allowsPrefix) else { continue }
          let again = try! CodeFile(CodeFile.data(file.table, key: key), path: "file", key: key)
          precondition(again.table == file.table, "codes change in a second file")
        }
      }
    }
  }

  private static func repaired(_ data: Data, _ key: CodeFile.Key) -> Data {
    guard data.count > 15 else { return data }
    var bytes = data
    bytes[0] = 0xDD
    bytes[1] = 0x4E
    bytes[2] = 0x10 | (bytes[2] & 14) | (key.prior == nil ? 0 : 1)
    for place in 0..<8 { bytes[3 + place] = UInt8(truncatingIfNeeded: key.fingerprint >> (56 - 8 * place)) }
    let sum = Checksum.crc32(bytes.dropLast(4))
    for place in 0..<4 { bytes[bytes.count - 4 + place] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt32(place))) }
    return bytes
  }
}

/// Expects low choices.
private struct FixedPrior: CodePrior {
  let space = FuzzedCodes.space
  let classes = 10
  let fingerprint: UInt64 = 2

  func begin(count: Int, classes: [Int]?) -> any CodePrediction { Prediction(count: count) }

  private struct Prediction: CodePrediction {
    let count: Int
    var level = 0

    func frequencies() -> [UInt32] {
      let row = (0..<FuzzedCodes.space.levels[level].nodes).map { (node: Int) -> UInt32 in
        UInt32(1 + 100_000 / (1 + node * node))
      }
      return (0..<count).flatMap { _ in row }
    }

    mutating func advance(_ choices: [Int]) { level += 1 }
    mutating func select(_ parents: [Int]) {}
  }
}
