import Torch

/// The K images of a level, computed lazily.
///
/// Node k's image is linear in the features: `W_k X + base`. A chooser may ask for all images, for a range of nodes at
/// a time, for distances to a target, or for the linear pieces themselves, `inPixels()`.
public struct Candidates {
  /// The level, from 0.
  public let level: Int
  /// The row of features that each image of the batch reads.
  public let paths: SharedPaths
  /// `[R, F, H, W]`, X: the features that the nodes read; of a network with components `[R, F, 1, P]`.
  public let features: Tensor
  /// `[K, C, F]`, the nodes; of a network with components `[K, 1, F]`.
  public let weights: Tensor
  /// `[R, C, H, W]`, added to every node's image; nil for zero. Of a network with components `[R, 1, 1, P]`.
  public let base: Tensor?
  /// Whose coefficients features and base are; nil for pixels.
  public let components: PrincipalComponents?
  /// `[R, featureChannels, H, W]`, the level's features with the half that leak choice reads.
  let levelFeatures: Tensor

  init(
    level: Int, paths: SharedPaths, levelFeatures: Tensor, features: Tensor, weights: Tensor, base: Tensor?,
    components: PrincipalComponents? = nil
  ) {
    self.level = level
    self.paths = paths
    self.levelFeatures = levelFeatures
    self.features = features
    self.weights = weights
    self.base = base
    self.components = components
  }

  /// Candidates with given images and no network, to test choosers and guides: every image is a separate feature, and
  /// one-hot nodes select it.
  ///
  /// - Parameters:
  ///   - level: from 0.
  ///   - images: `[B, K, C, H, W]`.
  public init(level: Int = 0, images: Tensor) throws(TorchError) {
    let (samples, nodes, channels) = (images.shape[0], images.shape[1], images.shape[2])
    let count = nodes * channels
    let features = try images.reshaped([samples, count] + images.shape[3...])
    self.init(
      level: level, paths: .separate(samples: samples), levelFeatures: features, features: features,
      weights: try Self.identity(count, device: images.device).reshaped([nodes, channels, count]), base: nil)
  }

  /// `[count, count]`.
  private static func identity(_ count: Int, device: Device) throws(TorchError) -> Tensor {
    let numbers = (0..<count * count).map { Float($0 % (count + 1) == 0 ? 1 : 0) }
    return try Tensor(numbers, shape: [count, count]).to(device)
  }

  /// K.
  public var nodes: Int { weights.shape[0] }
  /// Images in the batch, B.
  public var samples: Int { paths.samples }
  public var device: Device { features.device }
  /// `[C, H, W]` of every image.
  public var imageShape: [Int] { components?.imageShape ?? [weights.shape[1]] + features.shape[2...] }

  /// The images of every row: `[R, K, C, H, W]`, or of `range.count` nodes.
  ///
  /// - Parameter range: the nodes; nil for all. Ask for a few at a time to bound the memory.
  public func images(of range: Range<Int>? = nil) throws(TorchError) -> Tensor {
    let shape = features.shape  // [R, F, H, W]
    let weights = try range.map { (range) throws(TorchError) in try self.weights.slice(0, range) } ?? self.weights
    let (nodes, channels, width) = (weights.shape[0], weights.shape[1], weights.shape[2])
    var images = try weights.reshaped([nodes * channels, width])
      .matmul(features.reshaped([shape[0], shape[1], shape[2] * shape[3]]))  // [R, K C, N]
      .reshaped([shape[0], nodes, channels, shape[2], shape[3]])
    if let base { images = try images + base.reshaped([shape[0], 1, channels, shape[2], shape[3]]) }
    guard let components else { return images }
    return try components.images(of: images.reshaped([shape[0] * nodes, 1, 1, shape[3]]))
      .reshaped([shape[0], nodes] + imageShape)
  }

  /// The same candidates with features, weights and base over pixels, for linear maps of pixels.
  public func inPixels() throws(TorchError) -> Candidates {
    guard let components else { return self }
    let (rows, channels) = (paths.rows, imageShape[0])
    let base = try base.map { (base) throws(TorchError) in try components.images(of: base) }
    let mean = try components.mean.tensor.expanded([rows] + imageShape)
    // A node multiplies all channels of a feature by one weight: [K, 1, F] to [K, C, F C].
    let (nodes, width) = (weights.shape[0], weights.shape[2])
    let identity = try Self.identity(channels, device: device).reshaped([1, channels, 1, channels])
    let weights = try (weights.reshaped([nodes, 1, width, 1]) * identity).reshaped([nodes, channels, width * channels])
    return Candidates(
      level: level, paths: paths, levelFeatures: levelFeatures, features: try components.pixels(of: features),
      weights: weights, base: base ?? mean)
  }

  /// The candidates with every pixel multiplied by a mask: masking is linear, so it needs no images.
  ///
  /// - Parameter mask: `[1, 1, H, W]`.
  public func masked(by mask: Tensor) throws(TorchError) -> Candidates {
    let pixels = try inPixels()
    return Candidates(
      level: level, paths: paths, levelFeatures: levelFeatures, features: try pixels.features * mask,
      weights: pixels.weights, base: try pixels.base.map { (base) throws(TorchError) in try base * mask })
  }

  /// Distance of each of the K images to the target: `[B, K]`, lower is nearer.
  ///
  /// - Parameters:
  ///   - target: `[B, C, H, W]` at any resolution.
  ///   - measure: of two images.
  ///   - form: nil for the cheaper one.
  public func distances(
    to target: Target, measure: NodeDistances.Measure = .squared, form: NodeDistances.Form? = nil
  ) throws -> Tensor {
    if let components {
      guard measure == .squared else { return try inPixels().distances(to: target, measure: measure, form: form) }
      return try distances(to: target.projected(on: components), in: components, form)
    }
    let shape = features.shape  // [R, F, H, W]
    let sized = try target.sized(height: shape[2], width: shape[3])
    let pixels = shape[2] * shape[3]
    let residual = try base.map { (base) throws(TorchError) in try sized - paths.perSample(base) } ?? sized
    return try NodeDistances.all(
      features: features.reshaped([shape[0], shape[1], pixels]), weights: weights,
      residual: residual.reshaped([samples, weights.shape[1], pixels]), paths: paths, measure: measure, form: form)
  }

  private func distances(
    to target: Target.Projection, in components: PrincipalComponents, _ form: NodeDistances.Form?
  ) throws -> Tensor {
    let residual = try base.map { (base) throws(TorchError) in try target.coefficients - paths.perSample(base) }
    let distances = try NodeDistances.all(
      features: features.reshaped([paths.rows, weights.shape[2], components.count]), weights: weights,
      residual: (residual ?? target.coefficients).reshaped([samples, 1, components.count]), paths: paths, form: form)
    return try distances * components.pixelShare() + target.remainder.reshaped([samples, 1])
  }

  /// The candidates of a batch in which new image i has the past of image `parents[i]` of this one.
  func selecting(_ selection: SharedPaths.Selection) throws(TorchError) -> Candidates {
    Candidates(
      level: level, paths: selection.paths, levelFeatures: try selection.inherit(levelFeatures),
      features: try selection.inherit(features), weights: weights,
      base: try base.map { (base) throws(TorchError) in try selection.inherit(base) }, components: components)
  }
}
