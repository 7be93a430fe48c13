/// Untrusted text for an error message: in quotes, at most 80 characters, with control characters escaped.
public func quoted(_ text: some StringProtocol) -> String {
  let head = text.unicodeScalars.prefix(80)
  let isWhole = head.endIndex == text.unicodeScalars.endIndex
  let shown = String(String.UnicodeScalarView(head)).debugDescription.unicodeScalars.map { scalar in
    switch scalar.properties.generalCategory {
    // ASCII controls are escaped already.
    case .control, .format, .lineSeparator, .paragraphSeparator:
      "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
    default: String(scalar)
    }
  }
  return shown.joined() + (isWhole ? "" : "...")
}
