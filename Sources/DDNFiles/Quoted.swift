/// A text from a file as it may stand in a message: in quotes, short, and without line breaks or terminal codes.
///
/// - Parameter text: of which 80 characters are shown; control characters are shown as Swift writes them.
public func quoted(_ text: some StringProtocol) -> String {
  let head = text.unicodeScalars.prefix(80)
  let isWhole = head.endIndex == text.unicodeScalars.endIndex
  let shown = String(String.UnicodeScalarView(head)).debugDescription.unicodeScalars.map { scalar in
    switch scalar.properties.generalCategory {
    // Those of ASCII are escaped already.
    case .control, .format, .lineSeparator, .paragraphSeparator:
      "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
    default: String(scalar)
    }
  }
  return shown.joined() + (isWhole ? "" : "...")
}
