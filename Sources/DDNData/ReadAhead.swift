import DDNFiles
import Foundation

/// Decodes the images of an order before they are asked for, on a thread of its own and all cores.
///
/// It draws from its own copy of the order and holds a few batches at most.
final class ReadAhead: Sendable {
  /// Images that were read, in the order, and the ones that wait for room.
  private final class Queue: @unchecked Sendable {
    let condition = NSCondition()
    var batches: [(indices: [Int], result: Result<[UInt8], FileError>)] = []
    var isStopped = false
  }

  private static let batchesAhead = 4
  private let queue = Queue()

  /// - Parameters:
  ///   - order: where to begin.
  ///   - batch: images that will be asked for at a time.
  ///   - read: the images at some indices, as bytes.
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

  /// The bytes of the next images when they are those at `indices`; nil, at once, when the order says others.
  ///
  /// - Throws: `FileError` when they could not be read.
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
