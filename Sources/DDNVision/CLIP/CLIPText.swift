import Foundation

/// How CLIP cleans a text and cuts it into pieces, whose bytes it then encodes.
enum CLIPText {
  /// Lowercase, with HTML entities and typographic quotes replaced, and a single space between words.
  ///
  /// The original repairs texts from the web by the ftfy library. Of its repairs these are done: canonical composition,
  /// straight quotes, ligatures, characters of full width, and the removal of control characters. Wrongly decoded texts
  /// are left as they are.
  static func cleaned(_ text: String) -> String {
    let repaired = HTMLEntities.replaced(in: HTMLEntities.replaced(in: text)).unicodeScalars.flatMap(repaired)
    let composed = String(String.UnicodeScalarView(repaired)).precomposedStringWithCanonicalMapping
    return composed.unicodeScalars.split { $0.properties.isWhitespace }.map { String($0) }.joined(separator: " ")
      .lowercased()
  }

  /// A piece of a text; `mark` is the special token that it spells.
  struct Piece: Equatable {
    var text: String
    var mark: String?
  }

  /// Words, contractions' endings, single digits and runs of other characters.
  ///
  /// - Parameter marks: special tokens.
  static func pieces(of text: String, marks: [String]) -> [Piece] {
    var rest = text.unicodeScalars[...]
    var pieces: [Piece] = []
    func isNext(_ word: String) -> Bool { rest.starts(with: word.unicodeScalars) }
    while let scalar = rest.first {
      let kind = Kind(scalar)
      if let mark = marks.first(where: isNext) {
        pieces.append(Piece(text: mark, mark: mark))
        rest = rest.dropFirst(mark.unicodeScalars.count)
      } else if let ending = contractions.first(where: isNext) {
        pieces.append(Piece(text: ending))
        rest = rest.dropFirst(ending.unicodeScalars.count)
      } else if kind == .space {
        rest = rest.dropFirst()
      } else {
        let run = kind == .number ? rest.prefix(1) : rest.prefix { Kind($0) == kind }
        pieces.append(Piece(text: String(run)))
        rest = rest[run.endIndex...]
      }
    }
    return pieces
  }

  private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]

  private enum Kind {
    case letter, number, space, other

    init(_ scalar: Unicode.Scalar) {
      switch scalar.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: self = .letter
      case .decimalNumber, .letterNumber, .otherNumber: self = .number
      default: self = scalar.properties.isWhitespace ? .space : .other
      }
    }
  }

  private static func repaired(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    switch scalar.value {
    case 0x2018...0x201B, 0x2BC: ["'"]
    case 0x201C...0x201F: ["\""]
    case 0x9...0xD, 0x20...0x7E: [scalar]
    case 0...0x1F, 0x7F, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: []
    // Full width, and ligatures.
    case 0x3000, 0xFF01...0xFFEF, 0xFB00...0xFB06, 0x132...0x133, 0x149, 0x1C4...0x1CC:
      Array(String(scalar).precomposedStringWithCompatibilityMapping.unicodeScalars)
    default: [scalar]
    }
  }
}
