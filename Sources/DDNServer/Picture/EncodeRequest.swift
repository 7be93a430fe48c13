/// The body of `POST /api/encode`.
struct EncodeRequest: Decodable, Sendable {
  let model: String
  /// For a model that needs one.
  let `class`: Int?
  /// Of any size and format; center-cropped and resized.
  let picture: EncodedBytes
  /// Paths that the search keeps from level to level; nil for 1.
  let beams: Int?

  func validate() throws(RequestError) {
    if let beams, !(1...8).contains(beams) { throw .unfit("beams \(beams) is not within 1...8") }
  }
}

/// The body of `POST /api/decode`.
struct DecodeRequest: Decodable, Sendable {
  /// A `.ddn` file of one picture.
  let file: EncodedBytes
}

/// The picture to encode as the model sees it.
struct EncodedTarget: Encodable, Sendable {
  /// A data URL.
  let image: String
}

/// What a level made of a picture.
struct EncodedLevel: Encodable, Sendable {
  /// From 1.
  let level: Int
  let of: Int
  /// The choice.
  let choice: Int
  /// A data URL.
  let image: String
  /// Peak signal-to-noise ratio in dB.
  let psnr: Double
}

/// A picture's code, and files of other formats beside it.
struct EncodedPicture: Encodable, Sendable {
  struct Rival: Encodable, Sendable {
    /// "WebP".
    let name: String
    /// Such as "Q 1".
    let setting: String
    let bytes: Int
    let psnr: Double
    /// A data URL.
    let picture: String
  }

  let model: String
  let code: String
  let `class`: Int?
  /// Of the code.
  let bits: Double
  /// The `.ddn` file in Base64.
  let file: String
  let bytes: Int
  let psnr: Double
  /// A data URL.
  let picture: String
  /// At their smallest files.
  let rivals: [Rival]
}

/// What a `.ddn` file holds.
struct DecodedPicture: Encodable, Sendable {
  let model: String
  let code: String
  let `class`: Int?
  let bytes: Int
  /// Data URLs, one for each level.
  let levels: [String]
}
