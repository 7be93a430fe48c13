import Torch

/// Random numbers that depend only on each image's seed and the level, not on the batch.
///
/// Level l uses number l of `torch.rand` on a CPU with the image's seed, like `LatentCode(seed:)`.
public struct SeededDraws {
  /// For each level `[B]` float32 in 0..<1.
  private let levels: [Tensor]

  /// - Parameters:
  ///   - seeds: one per image; only the low 32 bits are used.
  ///   - levels: L.
  ///   - device: of the network.
  public init(seeds: [UInt64], levels: Int, device: Device) throws(TorchError) {
    let ofSeeds = seeds.map { seed in
      var generator = MersenneTwister(seed: seed)
      return (0..<levels).map { _ in generator.uniform() }
    }
    let numbers = try Tensor(
      (0..<levels).flatMap { level in ofSeeds.map { $0[level] } }, shape: [levels, seeds.count]
    ).to(device)
    var ofLevels: [Tensor] = []
    for level in 0..<levels { ofLevels.append(try numbers.select(0, level)) }
    self.levels = ofLevels
  }

  private init(levels: [Tensor]) { self.levels = levels }

  /// The draws of a batch in which new image i continues image `parents[i]`.
  public func selecting(_ parents: [Int]) throws(TorchError) -> SeededDraws {
    guard let device = levels.first?.device else { return self }
    let rows = try Tensor(parents, shape: [parents.count]).to(device)
    var selected: [Tensor] = []
    for level in levels { selected.append(try level.gathered(rows)) }
    return SeededDraws(levels: selected)
  }

  /// `[B]` int64 in `0..<bound`, uniform.
  ///
  /// - Parameters:
  ///   - bound: at least 1.
  ///   - level: from 0.
  public func integers(below bound: Int, level: Int) throws(TorchError) -> Tensor {
    try (levels[level] * Double(bound)).clamped(0...Double(bound - 1)).to(.int64)  // rounds down
  }
}
