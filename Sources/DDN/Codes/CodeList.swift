import DDNFiles
import Foundation

/// Codes as files and command lines have them, with the class of each for a network that is conditioned on classes.
public struct CodeList: Sendable {
  public struct Entry: Sendable, Equatable {
    public let code: LatentCode
    /// Nil where none was given.
    public let classIndex: Int?
  }

  public let entries: [Entry]

  /// Reads codes that stand in a row: `3.0.7,3.0.6`, each followed by its class where it has one, `3.0.7:4`.
  ///
  /// - Throws: `LatentCodeError` naming the code that is none or does not fit.
  public init(parsing text: String, nodesOfLevels: [Int], classes: Int) throws(LatentCodeError) {
    var entries: [Entry] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: ":", omittingEmptySubsequences: false).map { $0.trimmed }
      guard words.count <= 2 else { throw LatentCodeError("'\(part)' is not a code with its class, such as 3.0.7:4") }
      entries.append(
        Entry(
          code: try LatentCode(parsing: words[0], nodesOfLevels: nodesOfLevels),
          classIndex: words.count == 2 ? try Self.parseClass(words[1], of: classes) : nil))
    }
    self.entries = entries
  }

  /// Reads lines as `line(name:_:)` writes them: a name, a code and, for a network with classes, a class. The name may be
  /// left out and may hold spaces; empty lines and lines that begin with `#` are passed over.
  ///
  /// - Parameter path: of the file, for messages.
  /// - Throws: `FileError` (`invalid`) with the number of the line.
  public init(lines text: String, path: String, nodesOfLevels: [Int], classes: Int) throws(FileError) {
    var entries: [Entry] = []
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      var words = line.split(whereSeparator: \.isWhitespace).map(String.init)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      do throws(LatentCodeError) {
        // With classes, the last word of three or more is one, unless it is a code itself.
        let hasClass = classes > 0 && words.count >= 3 && !words.last!.contains(".")
        let classIndex = hasClass ? try Self.parseClass(words.removeLast(), of: classes) : nil
        entries.append(
          Entry(code: try LatentCode(parsing: words.last!, nodesOfLevels: nodesOfLevels), classIndex: classIndex))
      } catch {
        throw FileError(
          .invalid, path: "\(path), line \(number + 1)", problem: error.description,
          remedy: "a line has a name, a code such as 3.0.7" + (classes > 0 ? ", and a class" : ""))
      }
    }
    guard !entries.isEmpty else {
      throw FileError(.invalid, path: path, problem: "holds no codes", remedy: "use a codes.txt that ddn wrote")
    }
    self.entries = entries
  }

  private static func parseClass(_ text: String, of classes: Int) throws(LatentCodeError) -> Int {
    guard classes > 0 else { throw LatentCodeError("class \(quoted(text)) is given, and this model knows no classes") }
    guard let number = Int(text), (0..<classes).contains(number) else {
      throw LatentCodeError("class \(quoted(text)) is not within 0...\(classes - 1)")
    }
    return number
  }

  /// One line of a file of codes, without its end.
  public static func line(name: String, _ code: LatentCode, classIndex: Int?) -> String {
    "\(name) \(code)" + (classIndex.map { " \($0)" } ?? "")
  }
}

extension Substring {
  fileprivate var trimmed: String { String(self).trimmingCharacters(in: .whitespaces) }
}
