/// The body of `POST /api/draw`.
struct DrawRequest: Decodable, Sendable {
  let model: String
  /// One for each sample; nil for 0 to 11.
  let seeds: [UInt32]?
  /// The class of all samples, for a model that needs one.
  let `class`: Int?
  /// The first choices of all samples, as a code.
  let start: String?
  let guides: [GuideRequest]?
  /// From how many of the best candidates a level chooses; nil for the guides' own.
  let top: Int?
  /// Of the prior, for samples without guides; nil for 1.
  let temperature: Double?

  /// - Throws: `RequestError` when a value is not within the limits.
  func validate(_ limits: ServerLimits) throws(RequestError) {
    if let seeds, !(1...limits.samples).contains(seeds.count) {
      throw .unfit("1 to \(limits.samples) seeds are allowed, not \(seeds.count)")
    }
    let guides = guides ?? []
    guard guides.count <= limits.guides else {
      throw .unfit("at most \(limits.guides) guides are allowed, not \(guides.count)")
    }
    if let top, !(1...65_536).contains(top) { throw .unfit("top \(top) is not within 1...65536") }
    if let temperature, !(0.01...100).contains(temperature) {
      throw .unfit("temperature \(temperature) is not within 0.01...100")
    }
    for guide in guides { try guide.validate(limits) }
  }

  var chosenSeeds: [UInt64] { (seeds ?? Array(0..<12)).map { UInt64($0) } }
}

/// What the samples of a drawing are to fit.
struct GuideRequest: Decodable, Sendable {
  enum Kind: String, Decodable, Sendable {
    /// Painted pixels of `image`, which has transparency.
    case strokes
    /// The pixels of `image` where `mask` is painted (opaque).
    case mask
    /// The gray version of `image`.
    case gray
    /// `image` at `side` x `side` pixels.
    case sr
    /// A class that a classifier reads.
    case `class`
    /// A text.
    case clip
  }

  let kind: Kind
  /// Among several guides; nil for 1.
  let weight: Double?
  let image: EncodedBytes?
  let mask: EncodedBytes?
  let side: Int?
  let `class`: Int?
  let text: String?

  func validate(_ limits: ServerLimits) throws(RequestError) {
    if let weight, !(0.000_001...1_000_000).contains(weight) {
      throw .unfit("weight \(weight) is not within 0.000001...1000000")
    }
    switch kind {
    case .strokes, .gray, .sr, .mask:
      guard image != nil else { throw .unfit("guide \(kind) needs an image") }
      if kind == .mask, mask == nil { throw .unfit("guide mask needs a mask") }
      if kind == .sr, side == nil { throw .unfit("guide sr needs a side, in pixels") }
    case .class: guard self.class != nil else { throw .unfit("guide class needs a class") }
    case .clip:
      guard let text, !text.isEmpty else { throw .unfit("guide clip needs a text") }
      let length = text.unicodeScalars.count
      guard length <= limits.textLength else {
        throw .unfit("a text of \(length) characters is too long: \(limits.textLength) are allowed")
      }
    }
  }
}
