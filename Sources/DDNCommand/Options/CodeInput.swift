import DDN
import DDNCodes
import DDNFiles
import DDNImport
import DDNModels
import Foundation

/// Codes that a command is given: on the command line, in a file of any format, or on standard input.
struct CodeInput {
  private enum Content {
    /// `3.0.7:4,3.0.6`
    case list(String)
    /// Lines of codes.txt.
    case lines(String)
    /// A `.ddn` file.
    case file(Data)
    /// `ddn_latents_*.pt` of the original.
    case original(URL)
  }

  /// For messages.
  let name: String
  private let content: Content

  /// - Parameter text: codes, a path, or `-` for standard input.
  /// - Throws: `FileError` when a file cannot be read.
  init(_ text: String) throws {
    let looksLikePath = text.contains("/") || [".ddn", ".txt", ".pt"].contains { text.hasSuffix($0) }
    if text != "-", !looksLikePath, !FileManager.default.fileExists(atPath: text) {
      name = text
      content = .list(text)
      return
    }
    let url = URL(fileURLWithPath: text)
    name = text == "-" ? "standard input" : text
    let data = text == "-" ? FileHandle.standardInput.readDataToEndOfFile() : try InputFile.map(url)
    if CodeFileHeader.begins(data) {
      content = .file(data)
    } else if text != "-", data.starts(with: [0x50, 0x4B]) || data.first == 0x80 {
      content = .original(url)
    } else {
      content = .lines(String(decoding: data, as: UTF8.self))
    }
  }

  /// Whether the codes are lines or words of text.
  var isText: Bool {
    switch content {
    case .list, .lines: true
    case .file, .original: false
    }
  }

  /// Of a `.ddn` file: whose codes they are; nil otherwise.
  var header: CodeFileHeader? {
    get throws {
      guard case .file(let data) = content else { return nil }
      return try CodeFileHeader(data, path: name)
    }
  }

  /// The codes.
  ///
  /// - Parameters:
  ///   - model: that they are of.
  ///   - prior: that a `.ddn` file was encoded with.
  ///   - allowsPrefix: whether to read what there is of a `.ddn` file whose end is missing.
  /// - Throws: `FileError` or `LatentCodeError` when they do not fit.
  func entries(of model: Model, prior: (any CodePrior)?, allowsPrefix: Bool) throws -> [CodeList.Entry] {
    let (space, classes) = (model.network.codeSpace, model.network.classes)
    switch content {
    case .list(let text):
      guard text.first?.isNumber == true else {
        throw FileError(
          .missing, path: text.isEmpty ? "\"\"" : text, problem: "no such file, and no codes such as 3.0.7",
          remedy: "check the name")
      }
      return try CodeList(parsing: text, in: space, classes: classes).entries
    case .lines(let text): return try CodeList(lines: text, path: name, in: space, classes: classes).entries
    case .original(let url): return try CodeList(original: url, in: space).entries
    case .file(let data):
      let usesPrior = try CodeFileHeader(data, path: name).usesPrior
      let file = try CodeFile(
        data, path: name, key: CodeFile.Key(model, prior: usesPrior ? prior : nil), allowsPrefix: allowsPrefix)
      if file.missingImages > 0 {
        Terminal.printError("note: \(name) ends early: \(counted(file.missingImages, "image")) missing")
      }
      return file.table.entries
    }
  }
}
