import DDN
import Foundation
import Torch

/// A job on images that the processes of torchrun or srun share: every rank does a slice, and rank 0 reports.
struct SharedJob {
  /// Nil for a single process.
  let group: ProcessGroup?

  var share: BatchShare { group.map { BatchShare(rank: $0.rank, ranks: $0.ranks) } ?? .whole }
  /// Whether this process makes folders, writes reports and prints.
  var isMain: Bool { group?.isMain ?? true }

  /// Every rank's result, in the order of the ranks; only rank 0 needs it.
  ///
  /// - Throws: `ProcessGroupError` when another process is lost.
  func gather(_ result: Data) throws -> [Data] { try group?.gather(result) ?? [result] }

  /// Waits until rank 0 has done `body`, which the other ranks do not do.
  ///
  /// - Returns: what it returns, on all ranks.
  func first(_ body: () throws -> Bool) throws -> Bool {
    let result = isMain ? try body() : false
    guard let group else { return result }
    return try group.broadcast(Data([result ? 1 : 0])) == Data([1])
  }

  /// Waits for all ranks.
  func finish() throws { try group?.leave() }
}
