import DDNFiles
import Foundation
import GoldenSupport
import Testing

@testable import DDNVision

@Suite("CLIP's tokens are the original's") struct CLIPTokenizerTests {
  private struct Record: Decodable {
    var text: String
    var tokens: [Int]
  }

  /// Tokens of the vocabulary.
  private static let size = 674

  @Test("contractions, digits, scripts, emoji, entities and spaces", arguments: ["", "list.txt.gz"])
  func texts(file: String) throws {
    let tokenizer = try CLIPTokenizer(contentsOf: Golden.url("vision/\(file)"), size: Self.size)
    let records = try JSONDecoder().decode([Record].self, from: Data(contentsOf: Golden.url("vision/texts.json")))
    for record in records {
      #expect(tokenizer.tokens(of: record.text) == record.tokens, "\(record.text.debugDescription)")
    }
  }

  @Test("a vocabulary that cannot be used is named, with a remedy") func damaged() throws {
    let list = try String(contentsOf: Golden.url("vision/merges.txt"), encoding: .utf8)
    let vocabulary = try String(contentsOf: Golden.url("vision/vocab.json"), encoding: .utf8)
    let cases: [(vocabulary: String?, merges: String?, size: Int, problem: String)] = [
      (nil, list, 674, ": has no vocab.json"), (vocabulary, nil, 674, "merges.txt: no such file"),
      ("{", list, 674, "vocab.json: is not a dictionary of token numbers"),
      (vocabulary, list, 600, "vocab.json: has tokens beyond the 600 that the network knows"),
      (#"{"a": 1}"#, list, 674, "vocab.json: has no <|startoftext|> or no <|endoftext|>"),
      (#"{"a": 1, "<|startoftext|>": 2, "<|endoftext|>": 3}"#, list, 674, #"vocab.json: has no token "Ā""#),
      (vocabulary, "#\na b c\n", 674, #"merges.txt: has the line "a b c", which is not a pair"#),
      (vocabulary, "#\nq q\n", 674, #"merges.txt: merges into "qq", which is not a token"#),
    ]
    for (vocabulary, merges, size, problem) in cases {
      let scratch = try ScratchFolder()
      try vocabulary.map { try Data($0.utf8).write(to: scratch.file("vocab.json")) }
      try merges.map { try Data($0.utf8).write(to: scratch.file("merges.txt")) }
      let error = try #require(throws: FileError.self) { try CLIPTokenizer(contentsOf: scratch.url, size: size) }
      #expect(error.description.contains(problem) && !error.description.contains("\n"), "\(error)")
    }
    let short = try #require(throws: FileError.self) {
      try CLIPTokenizer(contentsOf: Golden.url("vision/list.txt.gz"), size: 49_408)
    }
    #expect(short.description.contains("list.txt.gz: has 180 pairs, and the network needs 48894"))
  }
}
