import DDN
import DDNFiles
import Foundation

/// A file of complete codes, such as `codes.txt`: a line per image with a name, a code and, for a class-conditional
/// model, a class.
///
/// Keeps the packed codes and where each line begins, so that a million codes need no million objects.
public struct CodeLines: Sendable {
  public let codes: PathTable
  public let names: Names

  /// The names of a file's codes, read when asked for.
  public struct Names: Sendable {
    fileprivate let text: Data
    /// `[count]`, where each code's line begins.
    fileprivate let lineStarts: [Int]
    fileprivate let hasClasses: Bool

    /// The name of a code; its number from 0 where the line has none.
    public subscript(row: Int) -> String {
      text.withUnsafeBytes { bytes in
        let start = lineStarts[row]
        let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        let name = CodeWords(bytes, start..<end, hasClasses: hasClasses).name.map { CodeLines.string(bytes, $0) }
        return name ?? String(row)
      }
    }
  }

  /// Parses a file.
  ///
  /// Names are optional and may contain spaces; empty lines and lines that begin with `#` are skipped.
  ///
  /// - Parameters:
  ///   - url: of the file.
  ///   - space: of the model.
  ///   - classes: that the model is conditioned on; 0 for none.
  /// - Throws: `FileError` (`invalid`) with the line number of a code that is malformed, partial or of another model,
  ///   or when there are no codes; `missing`.
  public init(contentsOf url: URL, in space: CodeSpace, classes: Int) throws(FileError) {
    let text = try InputFile.map(url)
    var (codes, starts, failure): (PathTable, [Int], FileError?) = (PathTable(space, classes: classes), [], nil)
    let form = CodeForm(space)
    text.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
      var (start, number) = (0, 0)
      var path: [Int] = []
      while start < bytes.count, failure == nil {
        let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        number += 1
        let words = CodeWords(bytes, start..<end, hasClasses: classes > 0)
        if let word = words.code {
          let classIndex = words.classWord.flatMap { Int(Self.string(bytes, $0)) }
          path.removeAll(keepingCapacity: true)
          if form.parse(bytes[word], into: &path),
            classes == 0 || classIndex.map({ (0..<classes).contains($0) }) == true
          {
            codes.append(steps: (classes > 0 ? [classIndex!] : []) + path)
            starts.append(start)
          } else {
            let problem = Self.problem(
              Self.string(bytes, word), words.classWord.map { Self.string(bytes, $0) }, codes)
            failure = FileError(
              .invalid, path: "\(url.path), line \(number)", problem: problem,
              remedy: "a line has a name, a code such as 3.0.7" + (classes > 0 ? ", and a class" : ""))
          }
        }
        start = end + 1
      }
    }
    if let failure { throw failure }
    guard codes.count > 0 else {
      throw FileError(
        .invalid, path: url.path, problem: "holds no codes", remedy: "use a .ddn file or a codes.txt that ddn wrote")
    }
    self.codes = codes
    names = Names(text: text, lineStarts: starts, hasClasses: classes > 0)
  }

  fileprivate static func string(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> String {
    String(decoding: bytes[range], as: UTF8.self)
  }

  /// Why a line is refused.
  private static func problem(_ word: String, _ classWord: String?, _ codes: PathTable) -> String {
    do throws(LatentCodeError) {
      var codes = codes
      let code = try LatentCode(parsing: word, in: codes.space)
      if let classWord, Int(classWord) == nil { return "class \(quoted(classWord)) is not a number" }
      try codes.append(code, classIndex: classWord.flatMap { Int($0) })
      return "\(quoted(word)) is not a code"
    } catch { return error.description }
  }
}

/// The number of nodes of each choice of a complete code.
private struct CodeForm {
  private let nodes: [Int]

  init(_ space: CodeSpace) { nodes = space.levels.map(\.nodes) }

  /// Appends the choices; false when the text is not a complete code.
  func parse(_ text: Slice<UnsafeRawBufferPointer>, into choices: inout [Int]) -> Bool {
    var (value, digits) = (0, 0)
    for byte in text {
      if (48...57).contains(byte) {
        (value, digits) = (value * 10 + Int(byte - 48), digits + 1)
        if digits > 9 { return false }
      } else {
        guard byte == UInt8(ascii: "."), digits > 0, choices.count < nodes.count - 1, value < nodes[choices.count]
        else { return false }
        choices.append(value)
        (value, digits) = (0, 0)
      }
    }
    guard digits > 0, choices.count == nodes.count - 1, value < nodes[choices.count] else { return false }
    choices.append(value)
    return true
  }
}
