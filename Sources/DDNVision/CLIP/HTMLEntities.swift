/// Entities of HTML, such as `&amp;` and `&#233;`.
enum HTMLEntities {
  /// A text with its entities replaced by their characters; unknown ones are left as they are.
  static func replaced(in text: String) -> String {
    guard text.contains("&") else { return text }
    return text.replacing(/&(?:#([0-9]{1,8})|#[xX]([0-9a-fA-F]{1,8})|([A-Za-z]{1,8}[0-9]{0,2}));/) { match in
      let (_, decimal, hexadecimal, name) = match.output
      let code =
        decimal.map { UInt32($0) } ?? hexadecimal.map { UInt32($0, radix: 16) } ?? name.flatMap { codes[String($0)] }
      guard let code else { return String(match.0) }
      return String(Unicode.Scalar(code) ?? "\u{FFFD}")
    }
  }

  private static let codes: [String: UInt32] = {
    var codes = Dictionary(uniqueKeysWithValues: zip(latin1.split(separator: " ").map(String.init), UInt32(160)...))
    for (name, code) in others { codes[name] = code }
    return codes
  }()

  /// The names of the characters 160...255.
  private static let latin1 = """
    nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para \
    middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave \
    Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc \
    Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc \
    iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml
    """

  private static let others: KeyValuePairs<String, UInt32> = [
    "quot": 0x22, "amp": 0x26, "apos": 0x27, "lt": 0x3C, "gt": 0x3E, "ndash": 0x2013, "mdash": 0x2014, "lsquo": 0x2018,
    "rsquo": 0x2019, "sbquo": 0x201A, "ldquo": 0x201C, "rdquo": 0x201D, "bdquo": 0x201E, "bull": 0x2022,
    "hellip": 0x2026, "euro": 0x20AC, "trade": 0x2122,
  ]
}
