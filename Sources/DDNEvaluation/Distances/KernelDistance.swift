import Torch

/// The kernel Inception distance: the mean squared maximum mean discrepancy of random subsets, by a polynomial kernel of
/// degree 3.
///
/// k(x, y) = (x y / F + 1)^3, unbiased. It does not depend on the number of images, unlike the Frechet distance.
///
/// - Source: Binkowski et al., "Demystifying MMD GANs" (2018).
public struct KernelDistance {
  public static let defaultSubsets = 100
  public static let defaultSubsetSize = 1000

  /// Over subsets.
  public let mean: Double
  /// Standard deviation over subsets.
  public let deviation: Double
  /// How many; one of all images where there are no more.
  public let subsets: Int
  /// Images of a subset.
  public let subsetSize: Int

  /// - Parameters:
  ///   - images: features of the images measured.
  ///   - reference: features of the reference; of the same detector.
  ///   - subsets: how many.
  ///   - subsetSize: images of a subset, fewer where there are fewer images.
  ///   - seed: of the subsets.
  /// - Throws: `EvaluationError` for fewer than two images; `FileError`; `TorchError`.
  public init(
    _ images: Features, _ reference: Features, subsets: Int = defaultSubsets, subsetSize: Int = defaultSubsetSize,
    seed: UInt64 = 0
  ) throws {
    let size = min(subsetSize, images.count, reference.count)
    guard size >= 2 else { throw EvaluationError("a kernel distance needs at least 2 images, not \(size)") }
    var generator = MersenneTwister(seed: seed)
    // All subsets are equal where they are all images.
    let subsets = size == images.count && size == reference.count ? 1 : subsets
    self.subsets = subsets
    let values = try (0..<subsets).map { _ in
      try Self.discrepancy(
        images.file.rows(Self.draw(size, of: images.count, &generator)),
        reference.file.rows(Self.draw(size, of: reference.count, &generator)))
    }
    let mean = values.reduce(0, +) / Double(subsets)
    self.mean = mean
    deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(subsets)).squareRoot()
    self.subsetSize = size
  }

  /// The unbiased squared maximum mean discrepancy of two sets.
  ///
  /// - Parameters:
  ///   - first: `[n, F]`, at least two rows.
  ///   - second: `[m, F]`, at least two rows.
  /// - Throws: `TorchError`.
  public static func discrepancy(_ first: Tensor, _ second: Tensor) throws(TorchError) -> Double {
    let (x, y) = (try first.to(.float64), try second.to(.float64))
    func kernel(_ left: Tensor, _ right: Tensor) throws(TorchError) -> Tensor {
      let product = try left.matmul(right.transposed(0, 1)) * (1 / Double(left.shape[1])) + 1
      return try product * product * product
    }
    /// The mean over distinct pairs.
    func within(_ rows: Tensor) throws(TorchError) -> Double {
      let count = Double(rows.shape[0])
      let diagonal = try rows.squared().sum([1]) * (1 / Double(rows.shape[1])) + 1
      let own = try (diagonal * diagonal * diagonal).sum().item()
      return (try kernel(rows, rows).sum().item() - own) / (count * (count - 1))
    }
    return try within(x) + within(y) - 2 * kernel(x, y).mean().item()
  }

  /// Distinct random indices in ascending order, which reads a file forwards.
  private static func draw(_ number: Int, of count: Int, _ generator: inout MersenneTwister) -> [Int] {
    var chosen: Set<Int> = []
    // Floyd's algorithm.
    for last in count - number..<count {
      let index = generator.below(last + 1)
      if !chosen.insert(index).inserted { chosen.insert(last) }
    }
    return chosen.sorted()
  }
}
