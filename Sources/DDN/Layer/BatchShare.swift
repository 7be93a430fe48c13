import Torch

/// The images of a batch that one of several processes has: every `ranks`-th, from `rank`.
///
/// Random numbers of a batch are drawn for all of its images in every process, which then takes its own. So generators
/// stay alike, and a batch's numbers do not depend on the number of processes.
public struct BatchShare: Sendable {
  public let rank: Int
  public let ranks: Int

  /// A single process's.
  public static var whole: BatchShare { BatchShare(rank: 0, ranks: 1) }

  public init(rank: Int, ranks: Int) {
    precondition((0..<ranks).contains(rank), "rank \(rank) is not within 0..<\(ranks)")
    (self.rank, self.ranks) = (rank, ranks)
  }

  /// The images of all processes, when each has `images`.
  public func batch(of images: Int) -> Int { images * ranks }

  /// This process's entries of a tensor's last dimension: `[..., B]` to `[..., B / ranks]`; B is divisible by `ranks`.
  public func part(of numbers: Tensor) throws(TorchError) -> Tensor {
    guard ranks > 1 else { return numbers }
    let shape = numbers.shape
    precondition(shape.last! % ranks == 0, "\(shape.last!) images do not divide into \(ranks) parts")
    return try numbers.reshaped(shape.dropLast() + [shape.last! / ranks, ranks]).select(shape.count, rank)
  }
}
