import DDNFiles
import Testing

@Suite("quoted") struct QuotedTests {
  @Test("it truncates after 80 characters and escapes control characters") func texts() {
    for (text, shown) in [
      ("a b", #""a b""#), ("", #""""#), ("a\"b\\", #""a\"b\\""#), ("a\nb\u{1B}[31m\u{7F}", #""a\nb\u{1B}[31m\u{7F}""#),
      ("\u{9B}31m", #""\u{9B}31m""#), ("\u{202E}gnp", #""\u{202E}gnp""#), ("\u{2028}", #""\u{2028}""#),
      ("Größe", #""Größe""#), (String(repeating: "x", count: 80), "\"\(String(repeating: "x", count: 80))\""),
      (String(repeating: "x", count: 81), "\"\(String(repeating: "x", count: 80))\"..."),
    ] {
      #expect(quoted(text) == shown)
    }
    #expect(quoted("abc".dropFirst()) == #""bc""#)
  }
}
