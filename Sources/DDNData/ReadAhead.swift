import DDNFiles
import Foundation

/// Prefetches batches of an order on a background thread, a few batches ahead.
final class ReadAhead: Sendable {
  /// Batches that were read, in order.
  private final class Queue: @unchecked Sendable {
    let condition = NSCondition()
    var batches: [(indices: [Int], result: Result<[UInt8], FileError>)] = []
    var isStopped = false
  }

  private static let batchesAhead = 4
  private let queue = Queue()

  /// - Parameters:
  ///   - order: is copied; its next batch is the first.
  ///   - batch: batch size.
  ///   - read: returns the bytes of the images at some indices.
  init(_ order: BatchOrder, batch: Int, read: @escaping @Sendable ([Int]) -> Result<[UInt8], FileError>) {
    let queue = queue
    let thread = Thread {
      var order = order
      while true {
        let indices = order.next(batch)
        let result = read(indices)
        queue.condition.lock()
        while queue.batches.count >= Self.batchesAhead && !queue.isStopped { queue.condition.wait() }
        queue.batches.append((indices, result))
        let isStopped = queue.isStopped
        queue.condition.broadcast()
        queue.condition.unlock()
        if isStopped { return }
      }
    }
    thread.name = "read ahead"
    thread.start()
  }

  deinit {
    queue.condition.lock()
    queue.isStopped = true
    queue.condition.broadcast()
    queue.condition.unlock()
  }

  /// The bytes of the next batch; nil when its indices are not `indices`.
  ///
  /// - Throws: `FileError` when an image could not be read.
  func take(_ indices: [Int]) throws(FileError) -> [UInt8]? {
    queue.condition.lock()
    defer { queue.condition.unlock() }
    while queue.batches.isEmpty { queue.condition.wait() }
    guard queue.batches[0].indices == indices else { return nil }
    let result = queue.batches.removeFirst().result
    queue.condition.broadcast()
    return try result.get()
  }
}
