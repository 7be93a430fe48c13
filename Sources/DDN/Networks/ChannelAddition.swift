import Torch

/// A tensor to add to some consecutive channels of features.
struct ChannelAddition {
  /// `[R, c, H, W]`.
  let tensor: Tensor
  /// The channels that it is added to.
  let range: Range<Int>

  init(_ tensor: Tensor, at first: Int) {
    self.tensor = tensor
    range = first..<first + tensor.shape[1]
  }
}

extension Tensor {
  /// These features `[R, C, H, W]` with `additions`, which may overlap, added to some of their channels.
  ///
  /// In one pass over the features, forward and backward: they are cut where an addition begins or ends, and joined.
  func adding(_ additions: [ChannelAddition]) throws(TorchError) -> Tensor {
    if additions.isEmpty { return self }
    let cuts = Set([0, shape[1]] + additions.flatMap { [$0.range.lowerBound, $0.range.upperBound] }).sorted()
    let ranges = zip(cuts, cuts.dropFirst()).map { $0..<$1 }
    var parts = try split(ranges.map(\.count), dimension: 1)
    for (index, range) in ranges.enumerated() {
      for addition in additions where addition.range.overlaps(range) {
        let first = range.lowerBound - addition.range.lowerBound
        let part = try addition.tensor.slice(1, first..<first + range.count)
        parts[index] = try (parts[index] + part).to(dtype)
      }
    }
    return try .concatenate(parts, dimension: 1)
  }
}
