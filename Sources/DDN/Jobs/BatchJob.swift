import Torch

/// Work on many images, a batch at a time: the caller sees every result, shows progress, and may stop within a batch.
public protocol BatchJob {
  associatedtype Result
  /// Images in all.
  var count: Int { get }
  /// The most images in memory at once, at least 1.
  var batchSize: Int { get }

  /// Works on the images in `range`.
  func callAsFunction(_ range: Range<Int>) throws -> Result
}

/// The caller stopped a job.
public struct JobStopped: Error {
  public init() {}
}

extension BatchJob {
  /// Ranges of nearly equal size, because oneDNN builds a new primitive per batch size.
  public var batches: [Range<Int>] {
    guard count > 0 else { return [] }
    let number = (count + batchSize - 1) / batchSize
    let size = (count + number - 1) / number
    return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }

  /// Works on all images.
  ///
  /// - Parameters:
  ///   - isNeeded: false skips a batch.
  ///   - shouldContinue: called before every large operator and after every batch; false stops the job. It must not use
  ///     tensors.
  ///   - body: called with each batch's range and result; `range.upperBound` of `count` images are done then.
  /// - Throws: `JobStopped`; what the work and `body` throw.
  public func run(
    isNeeded: (Range<Int>) -> Bool = { _ in true }, shouldContinue: () -> Bool = { !Task.isCancelled },
    _ body: (Range<Int>, Result) throws -> Void
  ) throws {
    for range in batches where isNeeded(range) {
      do { try body(range, withPulse(shouldContinue) { try self(range) }) } catch let error as TorchError {
        guard shouldContinue() else { throw JobStopped() }
        throw error
      }
      guard range.upperBound == count || shouldContinue() else { throw JobStopped() }
    }
  }
}
