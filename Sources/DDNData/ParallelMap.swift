import Dispatch

/// What `body` makes of every number below `count`, in order; made on all cores.
func parallelMap<Result: Sendable>(_ count: Int, _ body: @Sendable (Int) -> Result) -> [Result] {
  [Result](unsafeUninitializedCapacity: count) { buffer, filled in
    nonisolated(unsafe) let results = buffer.baseAddress  // Every place is written once.
    inParallel(count) { place in (results! + place).initialize(to: body(place)) }
    filled = count
  }
}

/// Calls `body` with every number below `count`, on all cores and in no order.
///
/// Numbers are handed out a few at a time: images differ in what they cost, and handing out costs, too.
func inParallel(_ count: Int, _ body: @Sendable (Int) -> Void) {
  let share = 8
  DispatchQueue.concurrentPerform(iterations: (count + share - 1) / share) { part in
    for place in part * share..<min(count, (part + 1) * share) { body(place) }
  }
}
