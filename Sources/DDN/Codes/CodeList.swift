import DDNFiles
import Foundation

/// Codes and their classes, from files and command lines.
public struct CodeList: Sendable {
  public struct Entry: Sendable, Equatable {
    public let code: LatentCode
    /// Nil when absent.
    public let classIndex: Int?

    public init(code: LatentCode, classIndex: Int? = nil) {
      self.code = code
      self.classIndex = classIndex
    }
  }

  public let entries: [Entry]

  public init(_ entries: [Entry]) { self.entries = entries }

  /// The codes of seeds, each with a class if the network has classes.
  ///
  /// - Parameters:
  ///   - seeds: one code each; their low 32 bits count.
  ///   - space: of the network.
  ///   - classes: the network's number of classes; 0 for none.
  ///   - classIndex: the class of all codes; nil for class `seed % classes`.
  public init(seeds: [UInt64], in space: CodeSpace, classes: Int = 0, classIndex: Int? = nil) {
    entries = seeds.map { seed in
      Entry(
        code: LatentCode(seed: seed, in: space),
        classIndex: classes > 0 ? classIndex ?? Int(seed % UInt64(classes)) : nil)
    }
  }

  /// Parses comma-separated codes, each with an optional class: `3.0.7:4,3.0.6`.
  ///
  /// - Throws: `LatentCodeError` naming the code that is malformed or does not fit.
  public init(parsing text: String, in space: CodeSpace, classes: Int) throws(LatentCodeError) {
    var entries: [Entry] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: ":", omittingEmptySubsequences: false).map { $0.trimmed }
      guard words.count <= 2 else { throw LatentCodeError("'\(part)' is not a code with its class, such as 3.0.7:4") }
      entries.append(
        Entry(
          code: try LatentCode(parsing: words[0], in: space),
          classIndex: words.count == 2 ? try Self.parseClass(words[1], of: classes) : nil))
    }
    self.entries = entries
  }

  /// Parses lines as `line(name:_:classIndex:)` writes them: a name, a code and, for a network with classes, a class. The
  /// name and the class are optional, and the name may contain spaces; empty lines and lines that begin with `#` are
  /// skipped.
  ///
  /// - Parameters:
  ///   - text: the lines.
  ///   - path: the file's path, for messages.
  ///   - space: of the network.
  ///   - classes: how many the network has; 0 for none.
  /// - Throws: `FileError` (`invalid`) with the line number.
  public init(lines text: String, path: String, in space: CodeSpace, classes: Int) throws(FileError) {
    var entries: [Entry] = []
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let (code, classWord) = Array(line.utf8).withUnsafeBytes { bytes in
        let words = CodeWords(bytes, bytes.indices, hasClasses: classes > 0)
        func text(_ word: Range<Int>?) -> String? { word.map { String(decoding: bytes[$0], as: UTF8.self) } }
        return (text(words.code), text(words.classWord))
      }
      guard let code else { continue }
      do throws(LatentCodeError) {
        let classIndex = if let classWord { try Self.parseClass(classWord, of: classes) } else { nil as Int? }
        entries.append(Entry(code: try LatentCode(parsing: code, in: space), classIndex: classIndex))
      } catch {
        throw FileError(
          .invalid, path: "\(path), line \(number + 1)", problem: error.description,
          remedy: "a line has a name, a code such as 3.0.7" + (classes > 0 ? ", and a class" : ""))
      }
    }
    guard !entries.isEmpty else {
      throw FileError(
        .invalid, path: path, problem: "holds no codes", remedy: "use a .ddn file or a codes.txt that ddn wrote")
    }
    self.entries = entries
  }

  private static func parseClass(_ text: String, of classes: Int) throws(LatentCodeError) -> Int {
    guard classes > 0 else { throw LatentCodeError("class \(quoted(text)) is given, and this model has no classes") }
    guard let number = Int(text), (0..<classes).contains(number) else {
      throw LatentCodeError("class \(quoted(text)) is not within 0...\(classes - 1)")
    }
    return number
  }

  /// A line that `init(lines:path:in:classes:)` parses, without the newline. A name that begins with `#`, as comments do,
  /// gets `./` before it.
  public static func line(name: String, _ code: LatentCode, classIndex: Int?) -> String {
    (name.hasPrefix("#") ? "./" : "") + "\(name) \(code)" + (classIndex.map { " \($0)" } ?? "")
  }
}

extension Substring {
  fileprivate var trimmed: String { String(self).trimmingCharacters(in: .whitespaces) }
}
