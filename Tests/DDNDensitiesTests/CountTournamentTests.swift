import Testing

@testable import DDNDensities

@Suite("CountTournament") struct CountTournamentTests {
  @Test(
    "the largest and smallest equal those of a scan after any change, ties included",
    arguments: [1, 2, 15, 16, 17, 256, 257, 1000])
  func winners(count: Int) {
    var tournament = CountTournament(count: count)
    var plain = [Double](repeating: 0, count: count)
    var generator = SplitMix64(seed: UInt64(count))
    for round in 0..<2000 {
      let node = Int(generator.next() % UInt64(count))
      // Mostly increments, as from samples; sometimes halved or cleared, as by splits.
      switch round % 10 {
      case 0: plain[node] /= 2
      case 1: plain[node] = 0
      default: plain[node] += 1
      }
      tournament[node] = plain[node]
      #expect(tournament.busiest == plain.firstIndex(of: plain.max()!))
      #expect(tournament.rarest == plain.firstIndex(of: plain.min()!))
    }
    #expect(tournament.counts == plain)
  }
}
