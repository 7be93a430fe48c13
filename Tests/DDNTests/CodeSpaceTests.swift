import DDN
import Testing
import Torch

@Suite("Code spaces")
struct CodeSpaceTests {
  /// A level of one choice, and one of three.
  static let parted = CodeSpace([.init(nodes: 4, side: 8), .init(nodes: 8, side: 16, choices: 3)])

  @Test("levels with several choices count, print and parse all of them")
  func several() throws {
    #expect(Self.parted.choiceCount == 4 && Self.parted.bits == 2 + 3 * 3 && Self.parted.maxNodes == 8)
    let code = try LatentCode(parsing: "3.7-0-5", in: Self.parted)
    #expect(code.choices == [3, 7, 0, 5] && code.description == "3.7-0-5")
    #expect(code.levelCount == 2 && code.isComplete)
    let prefix = try LatentCode(parsing: "3", in: Self.parted)
    #expect(prefix.levelCount == 1 && !prefix.isComplete)
  }

  @Test(
    "a code that does not fit is an error", arguments: ["3.7", "3.7-0", "3-1.7-0-5", "3.7-0-8", "3.7-0-5.1", "3.-0-5"])
  func refusal(text: String) {
    #expect(throws: LatentCodeError.self) { try LatentCode(parsing: text, in: Self.parted) }
  }

  @Test("choices that end within a level are an error")
  func partial() {
    #expect(throws: LatentCodeError.self) { try LatentCode([3, 7], in: Self.parted) }
  }

  @Test("codes survive a round trip through tensors")
  func tensors() throws {
    let codes = try ["3.7-0-5", "1.2-3-4"].map { try LatentCode(parsing: $0, in: Self.parted) }
    let tensors = try codes.tensors(on: .cpu)
    #expect(tensors.map(\.shape) == [[2], [2, 3]])
    #expect(try tensors.latentCodes(in: Self.parted) == codes)
  }

  @Test("codes of different spaces differ")
  func equality() throws {
    let other = CodeSpace([.init(nodes: 4, side: 8), .init(nodes: 9, side: 16, choices: 3)])
    let code = try LatentCode([3, 7, 0, 5], in: Self.parted)
    #expect(try code != LatentCode([3, 7, 0, 5], in: other))
    #expect(try Set([code, LatentCode([3, 7, 0, 5], in: Self.parted)]).count == 1)
  }
}
