import Torch

/// A batch's codes and its approximations at every level.
///
/// Source: paper, section 3.1: the nearest image is chosen at each level, as in training.
public struct Reconstruction {
  /// One code per image.
  public let codes: [LatentCode]
  /// For each level, the images chosen there: `[B, C, h, w]`.
  public let levels: [Tensor]
  /// `[L][B]`, each level's mean squared error, in units of [-1, 1] squared.
  public let errors: [[Double]]

  /// - Parameters:
  ///   - target: `[B, C, H, W]` in [-1, 1], on the network's device.
  ///   - network: its codes and images.
  ///   - classes: `[B]` int64; nil for no class.
  ///   - sources: `[B, C, H, W]` in [-1, 1], images to compute conditions from; nil for the target.
  public init(
    of target: Tensor, by network: any DiscreteDistributionNetwork, classes: Tensor? = nil, sources: Tensor? = nil
  ) throws {
    self = try CodeSearch()(target, by: network, classes: classes, sources: sources)
  }

  /// Of some of a batch's images.
  struct Part {
    /// One per image.
    let codes: [LatentCode]
    /// Of each level, `[B, C, h, w]`.
    let levels: [Tensor]
    /// Of each level, `[B]`.
    let losses: [Tensor]
  }

  /// - Parameter parts: of a batch, in order; at least one.
  init(joining parts: [Part]) throws {
    codes = parts.flatMap(\.codes)
    func joined(_ tensors: (Part) -> [Tensor]) throws -> [Tensor] {
      if parts.count == 1 { return tensors(parts[0]) }
      return try tensors(parts[0]).indices.map { level in try .concatenate(parts.map { tensors($0)[level] }) }
    }
    levels = try joined(\.levels)
    let numbers = try Tensor.stack(joined(\.losses)).array(Double.self)  // [L B], in one copy from the device
    let count = codes.count
    errors = levels.indices.map { Array(numbers[$0 * count..<($0 + 1) * count]) }
  }
}

extension Reconstruction {
  /// The levels that reports and grids show: all, or 16 spread evenly from the first to the last.
  public static func shownLevels(of count: Int) -> [Int] {
    count <= 16 ? Array(0..<count) : (0..<16).map { $0 * (count - 1) / 15 }
  }
}
