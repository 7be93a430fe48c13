import DDN
import Testing
import Torch

@Suite("A batch's numbers over several processes") struct BatchShareTests {
  @Test("the processes' parts are every n-th number of the whole") func parts() throws {
    let numbers = try Tensor((0..<24).map { Float($0) }, shape: [2, 12])
    for rank in 0..<3 {
      let part = try BatchShare(rank: rank, ranks: 3).part(of: numbers)
      #expect(part.shape == [2, 4])
      #expect(try part.array(Float.self) == (0..<2).flatMap { row in (0..<4).map { Float(row * 12 + $0 * 3 + rank) } })
    }
    #expect(try BatchShare.whole.part(of: numbers).array(Float.self) == numbers.array())
  }
}
