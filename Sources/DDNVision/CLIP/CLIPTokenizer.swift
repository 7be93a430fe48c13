import Archives
import DDNFiles
import Foundation

/// CLIP's byte pair encoding of texts.
///
/// Source: Sennrich et al., Neural machine translation of rare words with subword units, 2016; CLIP's marks the last byte of
/// a word by `</w>`.
struct CLIPTokenizer {
  private struct Pair: Hashable {
    var first: String
    var second: String
  }

  private let numbers: [String: Int]
  /// The earliest merge is done first.
  private let ranks: [Pair: Int]
  private let start: Int
  /// The token after a text's last one.
  let end: Int

  private static let lastMark = "</w>"
  private static let startMark = "<|startoftext|>"
  private static let endMark = "<|endoftext|>"
  static let remedy = "use the vocab.json and merges.txt, or bpe_simple_vocab_16e6.txt.gz, of this CLIP"

  /// Where a folder has a vocabulary: the folder for `vocab.json`, a file for OpenAI's list; nil without either.
  static func vocabulary(in folder: URL) -> URL? {
    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder.appending(path: name).path) }
    if exists("vocab.json") { return folder }
    return ["bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt"].first(where: exists)
      .map { folder.appending(path: $0) }
  }

  /// Reads a vocabulary.
  ///
  /// - Parameters:
  ///   - url: a folder with `vocab.json` and `merges.txt` or OpenAI's list, or the file of such a list.
  ///   - size: tokens that the network knows.
  /// - Throws: `FileError` when a file is missing, damaged, or of a vocabulary of another size.
  init(contentsOf url: URL, size: Int) throws(FileError) {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue {
      guard let found = Self.vocabulary(in: url) else {
        throw FileError(.missing, path: url.path, problem: "has no vocab.json", remedy: Self.remedy)
      }
      guard found == url else {
        try self.init(contentsOf: found, size: size)
        return
      }
      let file = url.appending(path: "vocab.json")
      guard let numbers = try? JSONDecoder().decode([String: Int].self, from: InputFile.map(file)) else {
        throw Self.error(file, "is not a dictionary of token numbers")
      }
      let mergeFile = url.appending(path: "merges.txt")
      let merges = try Self.merges(in: mergeFile, most: .max)
      try self.init(numbers, merges, file: file, mergeFile: mergeFile, size: size)
    } else {
      // OpenAI's list has more merges than the vocabulary. Bytes come first, marks last.
      let bytes = Self.bytePlaces.map { String(ByteAlphabet.characters[$0]) }
      let merges = try Self.merges(in: url, most: max(0, size - 2 * bytes.count - 2))
      let tokens =
        bytes + bytes.map { $0 + Self.lastMark } + merges.map { $0.first + $0.second } + [Self.startMark, Self.endMark]
      let numbers = Dictionary(zip(tokens, 0...)) { first, _ in first }
      try self.init(numbers, merges, file: url, mergeFile: url, size: size)
    }
  }

  private init(
    _ numbers: [String: Int], _ merges: [Pair], file: URL, mergeFile: URL, size: Int
  ) throws(FileError) {
    guard numbers.count <= size, numbers.values.allSatisfy({ (0..<size).contains($0) }) else {
      throw Self.error(file, "has tokens beyond the \(size) that the network knows")
    }
    guard let start = numbers[Self.startMark], let end = numbers[Self.endMark] else {
      throw Self.error(file, "has no \(Self.startMark) or no \(Self.endMark)")
    }
    // Then every text has tokens.
    for byte in ByteAlphabet.characters {
      for token in ["\(byte)", "\(byte)\(Self.lastMark)"] where numbers[token] == nil {
        throw Self.error(file, "has no token \(quoted(token))")
      }
    }
    for merge in merges where numbers[merge.first + merge.second] == nil {
      throw Self.error(mergeFile, "merges into \(quoted(merge.first + merge.second)), which is not a token")
    }
    (self.numbers, self.start, self.end) = (numbers, start, end)
    ranks = Dictionary(zip(merges, 0...)) { first, _ in first }
  }

  /// A text's tokens, between the marks of start and end.
  func tokens(of text: String) -> [Int] {
    let pieces = CLIPText.pieces(of: CLIPText.cleaned(text), marks: [Self.startMark, Self.endMark])
    return [start] + pieces.flatMap { numbers[$0.mark ?? ""].map { [$0] } ?? tokens(ofPiece: $0.text) } + [end]
  }

  private func tokens(ofPiece piece: String) -> [Int] {
    var parts = piece.utf8.map { String(ByteAlphabet.characters[Int($0)]) }
    parts[parts.count - 1] += Self.lastMark
    while parts.count > 1 {
      let pairs = zip(parts, parts.dropFirst()).map { Pair(first: $0, second: $1) }
      guard let best = pairs.min(by: { rank($0) < rank($1) }), ranks[best] != nil else { break }
      var merged: [String] = []
      for part in parts {
        if merged.last == best.first, part == best.second {
          merged[merged.count - 1] += part
        } else {
          merged.append(part)
        }
      }
      parts = merged
    }
    return parts.map { numbers[$0]! }
  }

  private func rank(_ pair: Pair) -> Int { ranks[pair] ?? .max }

  /// Pairs of a list with a line of comment first.
  private static func merges(in url: URL, most: Int) throws(FileError) -> [Pair] {
    let longest = 1 << 24  // bytes; OpenAI's list has 3 million.
    guard let text = String(validating: try openByteSource(url).bytes(longest), as: UTF8.self) else {
      throw error(url, "is not text")
    }
    var merges: [Pair] = []
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      guard number > 0, !line.isEmpty else { continue }
      guard merges.count < most else { break }
      let parts = line.split(separator: " ")
      guard parts.count == 2 else { throw error(url, "has the line \(quoted(line)), which is not a pair") }
      merges.append(Pair(first: String(parts[0]), second: String(parts[1])))
    }
    guard most == .max || merges.count == most else {
      throw error(url, "has \(merges.count) pairs, and the network needs \(most)")
    }
    return merges
  }

  private static func error(_ url: URL, _ problem: String) -> FileError {
    FileError(.invalid, path: url.path, problem: problem, remedy: remedy)
  }
}

/// A visible character for each byte, so that tokens are texts.
///
/// Printable bytes stand for themselves, others for the characters from 256 on.
private enum ByteAlphabet {
  /// By byte.
  static let characters: [Unicode.Scalar] = {
    var next: UInt32 = 256
    return (0..<256).map { byte in
      guard !isPrintable(byte) else { return Unicode.Scalar(UInt8(byte)) }
      defer { next += 1 }
      return Unicode.Scalar(next)!
    }
  }()

  static func isPrintable(_ byte: Int) -> Bool {
    (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
  }
}

extension CLIPTokenizer {
  /// Bytes in the order of the vocabulary: printable ones first.
  private static let bytePlaces =
    (0..<256).filter(ByteAlphabet.isPrintable) + (0..<256).filter { !ByteAlphabet.isPrintable($0) }
}
