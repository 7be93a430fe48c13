import DDNFiles
import Foundation

/// `guide.json`.
struct GuideRecord: Encodable {
  struct Guide: Encodable {
    let guide: String
    let weight: Double
  }
  struct Score: Codable {
    let guide: String
    let score: Double
  }
  struct Image: Codable {
    let file: String
    let target: String?
    let seed: UInt64
    let `class`: Int?
    let code: String
    let scores: [Score]
  }
  let network: String
  let guides: [Guide]
  let combination: String
  let top: String
  let beams: Int
  let candidates: Int
  /// In gray levels squared; absent for one sample a target.
  let diversity: Double?
  let images: [Image]

  func json() throws -> Data { try JSONEncoder.readable.encode(self) + Data("\n".utf8) }
}
