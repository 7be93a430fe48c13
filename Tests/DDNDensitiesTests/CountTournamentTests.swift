import Testing

@testable import DDNDensities

@Suite("The largest and the smallest count are always known") struct CountTournamentTests {
  @Test(
    "They are those of a scan, the first of equals, after any change", arguments: [1, 2, 15, 16, 17, 256, 257, 1000])
  func winners(count: Int) {
    var tournament = CountTournament(count: count)
    var plain = [Double](repeating: 0, count: count)
    var generator = SplitMix64(seed: UInt64(count))
    for round in 0..<2000 {
      let node = Int(generator.next() % UInt64(count))
      // Mostly one more, as samples come; now and then halved or taken away, as splits do.
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
