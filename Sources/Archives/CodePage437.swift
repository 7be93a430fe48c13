import Foundation

/// The encoding of zip file names that are not UTF-8.
///
/// Source: APPNOTE.TXT 6.3.9, appendix D; the table of IBM's code page 437.
enum CodePage437 {
  /// The characters of the bytes 128 to 255.
  private static let upperHalf = Array(
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}"
      .unicodeScalars)

  /// Decodes one character per byte; bytes below 128 are ASCII.
  static func decode(_ bytes: Data) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(byte < 128 ? Unicode.Scalar(byte) : upperHalf[Int(byte) - 128]) }
    return String(text)
  }
}
