import Synchronization
import Torch

/// The distance of every node's image to the target, for every image of a batch.
///
/// Node k computes the image `W_k X` from features X. With the residual r = target - base, its distance is the mean of
/// `(W_k X - r)^2` over channels and pixels. There are two exact forms; the cheaper one is used:
///
/// - **images**: compute all K images and compare.
/// - **products**: `|W_k X - r|^2 = <W_k (X X^T), W_k> - 2 <W_k, r X^T> + |r|^2`. `X X^T` (F x F) and `r X^T` (C x F)
///   are computed once for all nodes: cheaper when there are more pixels than features.
///
/// Of features `X B`, coordinates X in a basis B, the products are `X (B B^T) X^T` and `(r B^T) X^T`: `X B` is not needed.
///
/// On a CPU one kernel computes either form, a few nodes at a time within the cache; on other devices libtorch's matrix
/// products do.
public enum NodeDistances {
  public enum Form: Sendable, CaseIterable {
    case images
    case products
  }

  /// The distance between two images.
  public enum Measure: String, Codable, Sendable {
    /// Mean squared difference.
    case squared
    /// Mean absolute difference; only in the `images` form.
    case absolute
  }

  private static let kernel = Operator("ddn::node_distances")

  /// The form with fewer multiplications.
  ///
  /// - Parameters:
  ///   - rows: R, rows of features.
  ///   - samples: B, targets.
  ///   - nodes: K.
  ///   - channels: C of the images.
  ///   - features: F.
  ///   - pixels: H W.
  public static func cheaperForm(
    rows: Int, samples: Int, nodes: Int, channels: Int, features: Int, pixels: Int
  ) -> Form {
    let weights = nodes * channels * features
    let images = rows * weights * pixels + samples * nodes * channels * pixels
    let products =
      rows * (features * features * pixels / 2 + weights * features)
      + samples * (channels * features * pixels + weights)
    return images <= products ? .images : .products
  }

  /// Distances of all nodes, always in float32 and without gradients.
  ///
  /// - Parameters:
  ///   - features: `[R, F, N]`, one row per path; with a basis of d dimensions coordinates `[R, F, d]`.
  ///   - basis: of the features, `[d, N]`; nil for features that are given themselves.
  ///   - weights: `[K, C, F]`.
  ///   - residual: `[B, C, N]`, target minus base.
  ///   - paths: the row that each of the B images reads.
  ///   - measure: of two images.
  ///   - form: nil for the cheaper one, and with a basis for products; `.absolute` needs images.
  /// - Returns: `[B, K]` mean distances over channels and pixels, in (squared) units of pixel values. Identical nodes
  ///   have bit-identical distances. In the products form rounding can make an exact match slightly negative.
  /// - Source: paper, section 3.1; the products form is this project's.
  public static func all(
    features: Tensor, basis: FeatureBasis? = nil, weights: Tensor, residual: Tensor, paths: SharedPaths,
    measure: Measure = .squared, form: Form? = nil
  ) throws -> Tensor {
    try withoutGradients {
      try withAutocast(nil, on: features.device) {
        var (features, basis) = (try features.to(.float32), basis)
        let weights = try weights.to(.float32)
        let residual = try residual.to(.float32)
        if let space = basis, measure == .absolute || form == .images {
          (features, basis) = (try space.values(of: features), nil)
        }
        let (nodes, channels, width) = (weights.shape[0], weights.shape[1], weights.shape[2])
        let cheaper = cheaperForm(
          rows: paths.rows, samples: paths.samples, nodes: nodes, channels: channels, features: width,
          pixels: features.shape[2])
        let form = measure == .absolute ? .images : form ?? (basis == nil ? cheaper : .products)
        guard features.device == .cpu, measure == .squared else {
          return try byOperators(features, basis: basis, weights, residual, paths, measure, form)
        }
        let products = try basis?.products(of: features, residual: residual)
        let distances = try kernel.tensor(
          .tensor(features), .tensor(weights), .tensor(products?.residual ?? residual), .optional(paths.rowOfSample),
          .bool(form == .images), .optional(products?.features), .optional(products?.residualSquares))
        return try basis.map { try distances * (Double($0.rank) / Double(residual.shape[2])) } ?? distances
      }
    }
  }

  /// The squared distances with gradients, in float32 and the `products` form: `[B, K]`. Parameters as of `all`.
  static func differentiable(
    features: Tensor, weights: Tensor, residual: Tensor, paths: SharedPaths
  ) throws -> Tensor {
    try withAutocast(nil, on: features.device) {
      try byProducts(features.to(.float32), weights.to(.float32), residual.to(.float32), paths)
    }
  }

  /// Squared distances between the images of all nodes, with gradients and in float32: `[R, K, K]`.
  ///
  /// `|(W_i - W_j) X|^2 = Q_ii + Q_jj - 2 Q_ij` with `Q_ij = <W_i (X X^T), W_j>`.
  static func pairwise(features: Tensor, weights: Tensor) throws -> Tensor {
    try withAutocast(nil, on: features.device) { try pairwiseProducts(features.to(.float32), weights.to(.float32)) }
  }

  private static func pairwiseProducts(_ features: Tensor, _ weights: Tensor) throws(TorchError) -> Tensor {
    let (nodes, channels, width) = (weights.shape[0], weights.shape[1], weights.shape[2])
    let (rows, pixels) = (features.shape[0], features.shape[2])
    let ofFeatures = try features.batchMatmul(features.transposed(1, 2))  // X X^T: [R, F, F]
    let flat = try weights.reshaped([nodes, channels * width])
    let mixed = try weights.reshaped([nodes * channels, width]).matmul(ofFeatures)  // [R, K C, F]
      .reshaped([rows, nodes, channels * width])
    let products = try mixed.matmul(flat.transposed(0, 1))  // Q: [R, K, K]
    let squares = try (mixed * flat).sum([2])  // [R, K]
    let sums = try squares.reshaped([rows, nodes, 1]) + squares.reshaped([rows, 1, nodes])
    return try (sums - products * 2) * (1 / Double(channels * pixels))
  }

  /// The same by libtorch's operators, for any device and measure.
  static func byOperators(
    _ features: Tensor, basis: FeatureBasis? = nil, _ weights: Tensor, _ residual: Tensor, _ paths: SharedPaths,
    _ measure: Measure, _ form: Form
  ) throws(TorchError) -> Tensor {
    let distances =
      switch form {
      case .images: try byImages(features, weights, residual, paths, measure)
      case .products: try byProducts(features, basis: basis, weights, residual, paths)
      }
    return try distances.gathered(firstTwins(weights), dimension: 1)
  }

  /// Index of the first node with identical weights, usually the node itself: `[K]` int64.
  ///
  /// A split makes identical nodes, of which the first must win, but a matrix product may round equal rows differently.
  /// Integer sums are independent of their order; two different nodes collide with a probability of at most 2^-33.
  private static func firstTwins(_ weights: Tensor) throws(TorchError) -> Tensor {
    let (nodes, count) = (weights.shape[0], weights.shape[1] * weights.shape[2])
    let bits = try weights.reshaped([nodes, count]).reinterpreted(as: .int32).to(.int64)
    let checksums = try (bits * checksumFactors(count, on: weights.device)).sum([1])  // [K], wrapping
    return try checksums.reshaped([nodes, 1]).isUnequal(to: checksums).to(.uint8).argmin(1)  // [K, K] -> [K]
  }

  /// Immutable, so safe to share.
  private struct Constant: @unchecked Sendable {
    let tensor: Tensor
  }

  private static let factorsOfSize = Mutex<[String: Constant]>([:])

  /// `[count]` int64, pseudorandom and fixed; cached, because a copy to the device at each level would stall it.
  private static func checksumFactors(_ count: Int, on device: Device) throws(TorchError) -> Tensor {
    try factorsOfSize.withLock { (cache) throws(TorchError) in
      let size = "\(count) on \(device)"
      if let factors = cache[size] { return factors.tensor }
      var twister = MersenneTwister(seed: 0)
      let numbers = (0..<count).map { _ in Int(bitPattern: UInt(twister.next()) << 32 | UInt(twister.next())) }
      let factors = Constant(tensor: try Tensor(numbers, shape: [count]).to(device))
      cache[size] = factors
      return factors.tensor
    }
  }

  private static func byImages(
    _ features: Tensor, _ weights: Tensor, _ residual: Tensor, _ paths: SharedPaths, _ measure: Measure
  ) throws(TorchError) -> Tensor {
    let (nodes, channels, width) = (weights.shape[0], weights.shape[1], weights.shape[2])
    let (rows, pixels) = (features.shape[0], features.shape[2])
    let images = try weights.reshaped([nodes * channels, width]).matmul(features)  // [R, K C, N]
      .reshaped([rows, nodes, channels, pixels])
    let targets = try residual.reshaped([paths.samples, 1, channels, pixels])
    let difference = try paths.perSample(images) - targets  // [B, K, C, N]
    return try (measure == .squared ? difference.squared() : difference.absolute()).mean([2, 3])
  }

  private static func byProducts(
    _ features: Tensor, basis: FeatureBasis? = nil, _ weights: Tensor, _ residual: Tensor, _ paths: SharedPaths
  ) throws(TorchError) -> Tensor {
    let (nodes, channels, width) = (weights.shape[0], weights.shape[1], weights.shape[2])
    let (rows, pixels, samples) = (features.shape[0], residual.shape[2], paths.samples)
    let products = try basis.map { (basis) throws(TorchError) in
      try basis.products(of: features, residual: residual)
    }

    let ofWeights = try weights.transposed(1, 2).batchMatmul(weights)  // W^T W: [K, F, F]
      .reshaped([nodes, width * width])
    let ofFeatures = try features.batchMatmul((products?.features ?? features).transposed(1, 2))  // X X^T: [R, F, F]
      .reshaped([rows, width * width])
    let mixed = try (products?.residual ?? residual)
      .batchMatmul(paths.perSample(features).transposed(1, 2))  // r X^T: [B, C, F]
      .reshaped([samples, channels * width])

    let left = try Tensor.concatenate([paths.perSample(ofFeatures), mixed], dimension: 1)  // [B, F F + C F]
    let right = try Tensor.concatenate(
      [ofWeights, weights.reshaped([nodes, channels * width]) * -2], dimension: 1)  // [K, F F + C F]
    let squares = if let products { products.residualSquares } else { try residual.squared().sum([1, 2]) }
    let ofResidual = try squares.reshaped([samples, 1])
    return try (left.matmul(right.transposed(0, 1)) + ofResidual) * (1 / Double(channels * pixels))
  }
}
