/// One thing that a network can be conditioned on.
///
/// Its text is that of the original's options: "class10", "color", "edge", "resize8".
/// Source: paper, sections 4.1 and 7 (conditional DDN).
public enum ConditionKind: Sendable, Equatable, LosslessStringConvertible {
  /// One of at least 2 classes.
  case classNumber(of: Int)
  /// The image in grayscale: one channel.
  case gray
  /// The image's edges: one channel, 1 at edges and -1 elsewhere.
  case edges
  /// The image at a lower resolution.
  case lowResolution(side: Int)

  public init?(_ description: String) {
    func number(after prefix: String) -> Int? {
      let digits = description.dropFirst(prefix.count)
      guard description.hasPrefix(prefix), digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
      return Int(digits)
    }
    if description == "color" {
      self = .gray
    } else if description == "edge" {
      self = .edges
    } else if let classes = number(after: "class") {
      self = .classNumber(of: classes)
    } else if let side = number(after: "resize") {
      self = .lowResolution(side: side)
    } else {
      return nil
    }
  }

  public var description: String {
    switch self {
    case .classNumber(let classes): "class\(classes)"
    case .gray: "color"
    case .edges: "edge"
    case .lowResolution(let side): "resize\(side)"
    }
  }

  /// Whether the condition is computed from an image.
  public var needsImages: Bool {
    if case .classNumber = self { return false }
    return true
  }

  /// The number of feature channels.
  func channels(imageChannels: Int) -> Int {
    switch self {
    case .classNumber(let classes): PositionalFeatures.classEmbeddingLength(classes: classes)
    case .gray, .edges: 1
    case .lowResolution: imageChannels
    }
  }

  /// The validation error for images of a resolution, if any.
  func validationError(resolution: Int) -> String? {
    switch self {
    case .classNumber(let classes) where !(2...1_000_000).contains(classes):
      "\(classes) classes are not within 2...1000000"
    case .edges where resolution < 4: "edges need images of at least 4 pixels on a side, not \(resolution)"
    case .lowResolution(let side) where !(1...resolution).contains(side):
      "condition \(self) needs a side within 1...\(resolution)"
    default: nil
    }
  }
}

extension ConditionKind: Codable {
  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let kind = ConditionKind(text) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "'\(text)' is not a condition"))
    }
    self = kind
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension [ConditionKind] {
  /// The number of classes; 0 for none.
  package var classes: Int {
    for case .classNumber(let classes) in self { return classes }
    return 0
  }
}
