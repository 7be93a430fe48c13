/// Writes to one file in order; a failed one is repeated by the next `perform()`.
struct PendingWrites {
  private var writes: [() throws -> Void] = []

  mutating func add(_ write: @escaping () throws -> Void) { writes.append(write) }

  /// - Throws: what a write throws; it and later ones stay pending.
  mutating func perform() throws {
    while let next = writes.first {
      try next()
      writes.removeFirst()
    }
  }
}
