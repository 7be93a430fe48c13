/// The words of a line of codes, as places in its bytes: a name, which may contain spaces or be absent; a code; and, for
/// a model with classes, a class. An empty line and one that begins with `#` have none.
package struct CodeWords {
  package private(set) var name: Range<Int>?
  package private(set) var code: Range<Int>?
  package private(set) var classWord: Range<Int>?

  /// - Parameters:
  ///   - bytes: UTF-8.
  ///   - line: without the newline.
  ///   - hasClasses: of the model.
  package init(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, hasClasses: Bool) {
    func isSpace(_ place: Int) -> Bool { bytes[place] == 32 || (9...13).contains(bytes[place]) }
    /// The last word before `end`.
    func word(before end: Int) -> Range<Int>? {
      var last = end
      while last > line.lowerBound, isSpace(last - 1) { last -= 1 }
      var first = last
      while first > line.lowerBound, !isSpace(first - 1) { first -= 1 }
      return first < last ? first..<last : nil
    }
    func hasDot(_ word: Range<Int>) -> Bool { bytes[word].contains(UInt8(ascii: ".")) }
    /// Whether a word can be nothing but a code of several levels.
    func isLongCode(_ word: Range<Int>) -> Bool {
      hasDot(word) && bytes[word].allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: ".") }
    }
    guard let start = line.first(where: { !isSpace($0) }), bytes[start] != UInt8(ascii: "#"),
      var code = word(before: line.upperBound)
    else { return }
    // A last word without a dot is a class behind a code or, of three or more words, behind a name and a code.
    if hasClasses, !hasDot(code), let before = word(before: code.lowerBound),
      isLongCode(before) || word(before: before.lowerBound) != nil
    {
      (classWord, code) = (code, before)
    }
    self.code = code
    if let last = word(before: code.lowerBound) { name = start..<last.upperBound }
  }
}
