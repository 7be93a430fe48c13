import Dispatch

/// The results of `body` for `0..<count`, in order, computed on all cores.
func parallelMap<Result: Sendable>(_ count: Int, _ body: @Sendable (Int) -> Result) -> [Result] {
  [Result](unsafeUninitializedCapacity: count) { buffer, filled in
    nonisolated(unsafe) let results = buffer.baseAddress  // Each element is written once.
    inParallel(count) { place in (results! + place).initialize(to: body(place)) }
    filled = count
  }
}

/// Calls `body` for `0..<count` on all cores, in any order.
///
/// In small chunks: images differ in cost, and scheduling has overhead.
func inParallel(_ count: Int, _ body: @Sendable (Int) -> Void) {
  let chunk = 8
  DispatchQueue.concurrentPerform(iterations: (count + chunk - 1) / chunk) { part in
    for place in part * chunk..<min(count, (part + 1) * chunk) { body(place) }
  }
}
