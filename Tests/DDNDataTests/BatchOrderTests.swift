import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNData

@Suite struct BatchOrderTests {
  static func golden() throws -> [String: [Int]] {
    try JSONDecoder().decode([String: [Int]].self, from: Data(contentsOf: Golden.url("A/samplers_order.json")))
  }

  @Test func theOrderIsTheOriginalSamplersOnEveryRank() throws {
    let orders = try Self.golden().filter { $0.key.hasPrefix("infinite_") }
    #expect(orders.count >= 4)
    for (name, expected) in orders {
      let match = try #require(name.wholeMatch(of: /infinite_n(\d+)_seed(\d+)_rank(\d+)of(\d+)/))
      var order = BatchOrder(
        count: try #require(Int(match.1)), seed: try #require(UInt64(match.2)), rank: try #require(Int(match.3)),
        ranks: try #require(Int(match.4)))
      #expect(order.next(expected.count) == expected, "\(name)")
    }
  }

  @Test func theShuffleIsNumpys() throws {
    var generator = MersenneTwister(seed: 0)
    #expect(try BatchOrder.shuffled(20, &generator) == #require(Self.golden()["shuffle20_seed0"]))
  }

  @Test func batchesOfAnySizeFollowTheSameOrder() {
    var whole = BatchOrder(count: 37, seed: 5)
    var parts = whole
    let pieces = [1, 0, 7, 64, 28].flatMap { parts.next($0) }
    #expect(pieces == whole.next(100))
    #expect(parts.drawn == 100 && whole.drawn == 100)
  }

  @Test(arguments: [(0, 1), (0, 3), (2, 3)])
  func aResumedOrderContinuesExactly(_ rank: Int, _ ranks: Int) throws {
    for drawn in [0, 1, 16, 17, 333] {
      var order = BatchOrder(count: 17, seed: 9, rank: rank, ranks: ranks)
      _ = order.next(drawn)
      let saved = try JSONEncoder().encode(order.state)
      let state = try JSONDecoder().decode(BatchOrder.State.self, from: saved)
      #expect(state == order.state && state.drawn == drawn * ranks)
      var resumed = BatchOrder(resuming: state, rank: rank, ranks: ranks)
      #expect(resumed.drawn == drawn)
      #expect(resumed.next(100) == order.next(100))
      #expect(resumed.state == order.state)
    }
  }

  @Test func theRanksTogetherSeeWhatOneWouldSee() {
    var alone = BatchOrder(count: 25, seed: 11)
    var ranks = (0..<4).map { BatchOrder(count: 25, seed: 11, rank: $0, ranks: 4) }
    let together = (0..<60).flatMap { _ in ranks.indices.flatMap { ranks[$0].next(1) } }
    #expect(together == alone.next(240))
  }

  @Test func anOrderOfTwoRanksContinuesOnOneAndThree() {
    var alone = BatchOrder(count: 25, seed: 11)
    let all = alone.next(36)
    var state = BatchOrder(count: 25, seed: 11).state
    var place = 0
    for ranks in [2, 1, 3] {
      var orders = (0..<ranks).map { BatchOrder(resuming: state, rank: $0, ranks: ranks) }
      let next = (0..<12 / ranks).flatMap { _ in orders.indices.flatMap { orders[$0].next(1) } }
      #expect(next == Array(all[place..<place + 12]))
      place += 12
      #expect(Set(orders.map(\.state.drawn)) == [place])
      state = orders[0].state
    }
  }

  @Test func differentSeedsGiveDifferentOrders() {
    var first = BatchOrder(count: 100, seed: 1)
    var second = BatchOrder(count: 100, seed: 2)
    #expect(first.next(100) != second.next(100))
  }

  /// Half of 1, 2 and 3 images rounds to 0, 1 and 2: only three can be reshuffled.
  @Test func tooFewImagesToReshuffleRepeatTheFirstShuffle() {
    for count in [1, 2] {
      var order = BatchOrder(count: count, seed: 4)
      let round = order.next(count)
      #expect(round.sorted() == Array(0..<count))
      for _ in 0..<10 { #expect(order.next(count) == round) }
    }
    var order = BatchOrder(count: 3, seed: 4)
    let round = order.next(3)
    #expect((0..<10).contains { _ in order.next(3) != round })
  }

  @Test func everyImageKeepsComing() {
    var order = BatchOrder(count: 50, seed: 6)
    var seen = [Int](repeating: 0, count: 50)
    for index in order.next(50 * 100) { seen[index] += 1 }
    #expect(seen.allSatisfy { (50...150).contains($0) })
  }

  @Test(arguments: [
    #"{"seed":1,"count":0,"drawn":0}"#, #"{"seed":1,"count":5,"drawn":-1}"#, #"{"seed":-1,"count":5,"drawn":0}"#,
  ])
  func aStateThatNoOrderHasIsRefused(_ json: String) {
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(BatchOrder.State.self, from: Data(json.utf8)) }
  }
}
