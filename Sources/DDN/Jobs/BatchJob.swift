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

/// Runs `body`, which `shouldContinue` may stop.
///
/// - Parameters:
///   - shouldContinue: called before every large operator on this thread; false stops. It must not use tensors.
///   - body: the work.
/// - Throws: `JobStopped`; what `body` throws.
public func stoppable<R>(while shouldContinue: () -> Bool, _ body: () throws -> R) throws -> R {
  do { return try withPulse(shouldContinue, body) } catch let error as TorchError {
    guard shouldContinue() else { throw JobStopped() }
    throw error
  }
}

extension BatchJob {
  /// Ranges of nearly equal size, because oneDNN builds a new primitive per batch size.
  public var batches: [Range<Int>] { batches(of: 0..<count) }

  private func batches(of images: Range<Int>) -> [Range<Int>] {
    guard !images.isEmpty else { return [] }
    let number = (images.count + batchSize - 1) / batchSize
    let size = (images.count + number - 1) / number
    return stride(from: images.lowerBound, to: images.upperBound, by: size).map {
      $0..<min($0 + size, images.upperBound)
    }
  }

  /// Works on one batch, which `shouldContinue` may stop: see `run`.
  public func callAsFunction(_ range: Range<Int>, while shouldContinue: () -> Bool) throws -> Result {
    try stoppable(while: shouldContinue) { try self(range) }
  }

  /// The images of one of several processes: neighbours, so that results in the order of the ranks are in that of the
  /// images.
  public func slice(of share: BatchShare) -> Range<Int> {
    count * share.rank / share.ranks..<count * (share.rank + 1) / share.ranks
  }

  /// Works on all images, or this process's.
  ///
  /// - Parameters:
  ///   - share: the process's among several.
  ///   - isNeeded: false skips a batch.
  ///   - shouldContinue: called before every large operator and after every batch; false stops the job. It must not use
  ///     tensors.
  ///   - body: called with each batch's range and result; all images of the process up to
  ///     `range.upperBound` are done then.
  /// - Throws: `JobStopped`; what the work and `body` throw.
  public func run(
    share: BatchShare = .whole, isNeeded: (Range<Int>) -> Bool = { _ in true },
    shouldContinue: () -> Bool = { !Task.isCancelled },
    _ body: (Range<Int>, Result) throws -> Void
  ) throws {
    let images = slice(of: share)
    for range in batches(of: images) where isNeeded(range) {
      try body(range, self(range, while: shouldContinue))
      guard range.upperBound == images.upperBound || shouldContinue() else { throw JobStopped() }
    }
  }
}
