import DDN
import Testing
import Torch

@Suite("Code spaces")
struct CodeSpaceTests {
  private static let space = CodeSpace([.init(nodes: 4, side: 8), .init(nodes: 8, side: 16), .init(nodes: 2, side: 16)])

  @Test("codes count, print and parse; their first levels are codes, too")
  func codes() throws {
    #expect(Self.space.bits == 6 && Self.space.maxNodes == 8)
    let code = try LatentCode(parsing: "3.7.1", in: Self.space)
    #expect(code.choices == [3, 7, 1] && code.description == "3.7.1" && code.isComplete)
    let prefix = try LatentCode(parsing: "3", in: Self.space)
    #expect(prefix.levelCount == 1 && !prefix.isComplete && code.prefix(1) == prefix)
  }

  @Test(
    "a code that does not fit is an error", arguments: ["", "4", "3.7.1.0", "3.8", "3..1", "3.-1", "3-7", "3.7.", "٣"])
  func refusal(text: String) {
    #expect(throws: LatentCodeError.self) { try LatentCode(parsing: text, in: Self.space) }
  }

  @Test("codes survive a round trip through tensors")
  func tensors() throws {
    let codes = try ["3.7.0", "1.2.1"].map { try LatentCode(parsing: $0, in: Self.space) }
    let tensors = try codes.tensors(on: .cpu)
    #expect(tensors.map(\.shape) == [[2], [2], [2]])
    #expect(try tensors.latentCodes(in: Self.space) == codes)
  }

  @Test("codes of different spaces differ")
  func equality() throws {
    let other = CodeSpace([.init(nodes: 4, side: 8), .init(nodes: 9, side: 16), .init(nodes: 2, side: 16)])
    let code = try LatentCode([3, 7, 0], in: Self.space)
    #expect(try code != LatentCode([3, 7, 0], in: other))
    #expect(try Set([code, LatentCode([3, 7, 0], in: Self.space)]).count == 1)
  }
}
