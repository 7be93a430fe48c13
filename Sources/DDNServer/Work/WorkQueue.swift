import Synchronization

/// Where requests wait for the models, which work on one at a time: first come, first served.
final class WorkQueue: Sendable {
  private struct Entry {
    let number: Int
    let address: String
    let positions: AsyncStream<Int>.Continuation
  }

  private struct State {
    /// The first one is at work.
    var entries: [Entry] = []
    var next = 0
  }

  private let limits: ServerLimits
  private let state = Mutex(State())

  init(_ limits: ServerLimits) { self.limits = limits }

  /// Requests at work and waiting.
  var length: Int { state.withLock { $0.entries.count } }

  /// Joins the queue.
  ///
  /// - Parameter address: of the client.
  /// - Throws: `RequestError` (503) when it is full, (429) when the address has too many requests in it.
  func enter(_ address: String) throws(RequestError) -> Ticket {
    let (positions, continuation) = AsyncStream<Int>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let result: Result<Int, RequestError> = state.withLock { state in
      guard state.entries.count < limits.waiting else {
        return .failure(
          RequestError(
            .serviceUnavailable, "\(state.entries.count) requests are waiting, which is all that may; try again soon",
            retryAfterSeconds: 2))
      }
      if !isLoopback(address), state.entries.count(where: { $0.address == address }) >= limits.waitingPerAddress {
        return .failure(
          RequestError(
            .tooManyRequests, "\(limits.waitingPerAddress) requests of yours are waiting; let them end first",
            retryAfterSeconds: 2))
      }
      let number = state.next
      state.next += 1
      state.entries.append(Entry(number: number, address: address, positions: continuation))
      continuation.yield(state.entries.count - 1)
      return .success(number)
    }
    return Ticket(try result.get(), positions, self)
  }

  fileprivate func leave(_ number: Int) {
    state.withLock { state in
      guard let place = state.entries.firstIndex(where: { $0.number == number }) else { return }
      state.entries.remove(at: place).positions.finish()
      for (position, entry) in state.entries.enumerated().dropFirst(place) { entry.positions.yield(position) }
    }
  }
}

/// A place in the queue, left at the latest when the ticket is no longer referenced.
final class Ticket: Sendable {
  /// How many requests are before this one, each time it changes; 0 is its turn.
  let positions: AsyncStream<Int>
  private let number: Int
  private let queue: WorkQueue

  fileprivate init(_ number: Int, _ positions: AsyncStream<Int>, _ queue: WorkQueue) {
    (self.number, self.positions, self.queue) = (number, positions, queue)
  }

  deinit { leave() }

  func leave() { queue.leave(number) }

  /// Waits for its turn.
  ///
  /// - Parameter report: called with the number of requests before this one while there are any.
  /// - Throws: `CancellationError`.
  func turn(_ report: (Int) -> Void = { _ in }) async throws {
    for await position in positions {
      if position == 0 { return }
      report(position)
    }
    throw CancellationError()
  }
}

/// Whether an address is of this machine alone.
func isLoopback(_ address: String) -> Bool { address.hasPrefix("127.") || address == "::1" }
