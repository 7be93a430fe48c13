import Foundation
import Testing

@testable import DDNServer

@Suite("Limits of a server") struct LimitTests {
  @Test("an address has a minute's requests at once, and then as many as time brings back") func rate() throws {
    let limiter = RateLimiter(perMinute: 60)
    let now = ContinuousClock.now
    for _ in 0..<60 { try limiter.admit("a", now: now) }
    let error = try #require(throws: RequestError.self) { try limiter.admit("a", now: now) }
    #expect(error.status.code == 429 && error.retryAfterSeconds == 1)
    try limiter.admit("b", now: now)
    try limiter.admit("a", now: now + .seconds(1.1))
    #expect(throws: RequestError.self) { try limiter.admit("a", now: now + .seconds(1.2)) }
    for _ in 0..<60 { try limiter.admit("a", now: now + .seconds(600)) }
    #expect(throws: RequestError.self) { try limiter.admit("a", now: now + .seconds(600)) }
    for _ in 0..<1000 { try RateLimiter(perMinute: 0).admit("a") }
  }

  @Test("more addresses than are remembered are admitted") func manyAddresses() throws {
    let limiter = RateLimiter(perMinute: 2)
    for number in 0..<30_000 { try limiter.admit("\(number)") }
  }

  @Test("the queue is served in order, tells positions, and is left by who goes") func queue() async throws {
    let queue = WorkQueue(ServerLimits())
    let first = try queue.enter("127.0.0.1")
    let second = try queue.enter("127.0.0.1")
    let third = try queue.enter("127.0.0.1")
    #expect(queue.length == 3)
    try await first.turn()
    var positions = second.positions.makeAsyncIterator()
    #expect(await positions.next() == 1)
    first.leave()
    #expect(await positions.next() == 0)
    do { _ = try queue.enter("127.0.0.1") }  // Not referenced any more.
    #expect(queue.length == 2)
    second.leave()
    try await third.turn()
    third.leave()
    third.leave()
    #expect(queue.length == 0)
  }

  @Test("a full queue and a greedy address are refused") func fullQueue() throws {
    var limits = ServerLimits()
    (limits.waiting, limits.waitingPerAddress) = (3, 2)
    let queue = WorkQueue(limits)
    let tickets = try [queue.enter("10.0.0.1"), queue.enter("10.0.0.1")]
    let greedy = try #require(throws: RequestError.self) { try queue.enter("10.0.0.1") }
    #expect(greedy.status.code == 429 && greedy.retryAfterSeconds != nil)
    let other = try queue.enter("10.0.0.2")
    let full = try #require(throws: RequestError.self) { try queue.enter("127.0.0.1") }
    #expect(full.status.code == 503 && full.retryAfterSeconds != nil)
    other.leave()
    for ticket in tickets { ticket.leave() }
    let many = try (0..<3).map { _ in try queue.enter("127.0.0.1") }
    #expect(many.count == 3)
  }

  @Test("a cancelled wait ends") func cancelledWait() async throws {
    let queue = WorkQueue(ServerLimits())
    let first = try queue.enter("127.0.0.1")
    let second = try queue.enter("127.0.0.1")
    let waiting = Task { try await second.turn() }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    first.leave()
  }

  @Test("addresses are no names", arguments: ["127.0.0.1", "10.1.2.255", "[::1]", "[fe80::1]"])
  func addresses(_ host: String) {
    #expect(RequestChecks.isAddress(RequestChecks.host(of: host + ":8080")))
    #expect(RequestChecks.isAddress(host))
  }

  @Test(
    "names are no addresses",
    arguments: ["evil.example", "127.0.0.1.evil.example", "1.2.3", "256.1.1.1", "0x7f.0.0.1", "[]", "[x::1]", ""])
  func names(_ host: String) { #expect(!RequestChecks.isAddress(RequestChecks.host(of: host))) }
}
