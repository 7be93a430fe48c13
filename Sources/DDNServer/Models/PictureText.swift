import Foundation
import Images

extension Bitmap {
  /// The picture as PNG in a data URL, which pages show and programs decode.
  func dataURL() throws(ImageError) -> String {
    "data:image/png;base64," + (try PNG.encode(self)).base64EncodedString()
  }
}

/// Bytes in a request: Base64, or a data URL of it.
struct EncodedBytes: Decodable, Sendable {
  let data: Data

  init(_ data: Data) { self.data = data }

  init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    let start = text.hasPrefix("data:") ? text.firstIndex(of: ",").map { text.index(after: $0) } : text.startIndex
    guard let start, let data = Data(base64Encoded: String(text[start...])) else {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not Base64"))
    }
    self.data = data
  }
}
