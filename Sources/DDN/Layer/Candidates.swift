import Torch

/// The K images of a level, computed lazily.
///
/// Node k's image is linear in the features: `W_k X + base`. A chooser may ask for all images, for a range of nodes at
/// a time, for distances to a target, or for the linear pieces themselves, `inPixels()`.
public struct Candidates {
  /// Applies the chosen node of every row to its parent's features; see `Sources/CTorchShim/Kernels/chosen_images.cpp`.
  private static let chosenImages = Operator("ddn::chosen_images")

  /// The level, from 0.
  public let level: Int
  /// The row of features that each image of the batch reads.
  public let paths: SharedPaths
  /// `[R, F, H, W]`: the features that the nodes read, or their coordinates `[R, F, 1, r]` in the basis.
  private let coordinates: Tensor
  /// The space of the features; nil for coordinates that are the features.
  private let basis: FeatureBasis?
  /// `[K, C, F]`, the nodes; of a network with components `[K, 1, F]`.
  public let weights: Tensor
  /// `[R, C, H, W]`, added to every node's image; nil for zero. Of a network with components `[R, 1, 1, P]`.
  public let base: Tensor?
  /// Whose coefficients features and base are; nil for pixels.
  public let components: PrincipalComponents?
  /// `[R, featureChannels, H, W]`, the level's features with the half that leak choice reads; in a basis their coordinates.
  let levelFeatures: Tensor

  init(
    level: Int, paths: SharedPaths, levelFeatures: Tensor, features: Tensor, basis: FeatureBasis? = nil,
    weights: Tensor, base: Tensor?, components: PrincipalComponents? = nil
  ) {
    self.level = level
    self.paths = paths
    self.levelFeatures = levelFeatures
    coordinates = features
    self.basis = basis
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

  /// `[R, F, H, W]`, X: the features that the nodes read; of a network with components `[R, F, 1, P]`. Computed at each
  /// call for features in a basis.
  public var features: Tensor {
    get throws(TorchError) {
      try basis.map { (basis) throws(TorchError) in try basis.values(of: coordinates) } ?? coordinates
    }
  }

  /// A linear map of the features, `[R, F, M]`, cheaper than that of computed ones.
  ///
  /// - Parameter map: `[M, P]`.
  func features(mappedBy map: Tensor, in mode: Module.Mode) throws(TorchError) -> Tensor {
    let shape = coordinates.shape  // [R, F, 1, P] or [R, F, 1, r]
    let map = try basis.map { (basis) throws(TorchError) in try map.matmul(basis.rows.transposed(0, 1)) } ?? map
    return try coordinates.reshaped([shape[0] * shape[1], shape[3]]).linear(map, in: mode)
      .reshaped([shape[0], shape[1], map.shape[0]])
  }

  /// K.
  public var nodes: Int { weights.shape[0] }
  /// Images in the batch, B.
  public var samples: Int { paths.samples }
  public var device: Device { weights.device }
  /// `[C, H, W]` of every image.
  public var imageShape: [Int] { components?.imageShape ?? [weights.shape[1]] + coordinates.shape[2...] }

  /// The images of every row: `[R, K, C, H, W]`, or of `range.count` nodes.
  ///
  /// - Parameter range: the nodes; nil for all. Ask for a few at a time to bound the memory.
  public func images(of range: Range<Int>? = nil) throws(TorchError) -> Tensor {
    let features = try features
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
    guard components.isLinear else {
      // Every image is a separate feature.
      let count = nodes * channels
      let features = try images().reshaped([rows, count] + imageShape[1...])
      let weights = try Self.identity(count, device: device).reshaped([nodes, channels, count])
      return Candidates(
        level: level, paths: paths, levelFeatures: levelFeatures, features: features, weights: weights, base: nil)
    }
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

  /// Distance of each of the K images to the target: `[B, K]`, lower is nearer. It has no gradient.
  ///
  /// With an autoencoder it is the distance of latents plus what the autoencoder loses of the target.
  ///
  /// - Parameters:
  ///   - target: `[B, C, H, W]` at any resolution.
  ///   - measure: of two images.
  ///   - form: nil for the cheaper one.
  public func distances(
    to target: Target, measure: NodeDistances.Measure = .squared, form: NodeDistances.Form? = nil
  ) throws -> Tensor {
    if components != nil, measure != .squared {
      return try inPixels().distances(to: target, measure: measure, form: form)
    }
    return try inPixelUnits(
      NodeDistances.all(
        features: flat(coordinates), basis: basis, weights: weights, residual: residual(to: target), paths: paths,
        measure: measure, form: form), target)
  }

  /// The squared distances with gradients to the features and the nodes, for losses of all nodes: `[B, K]`.
  ///
  /// - Parameter target: `[B, C, H, W]` at any resolution.
  public func differentiableDistances(to target: Target) throws -> Tensor {
    try inPixelUnits(
      NodeDistances.differentiable(
        features: flat(features), weights: weights, residual: residual(to: target), paths: paths), target)
  }

  /// Squared distances between the images of a level, with gradients: `[R, K, K]`, zero on the diagonal but for rounding.
  public func pairwiseDistances() throws -> Tensor {
    let distances = try NodeDistances.pairwise(features: flat(features), weights: weights)
    guard let components else { return distances }
    return try distances * components.pixelShare()
  }

  /// `[R, F, N]`; N are pixels, components or coordinates.
  private func flat(_ features: Tensor) throws(TorchError) -> Tensor {
    try features.reshaped([paths.rows, weights.shape[2], features.shape[2] * features.shape[3]])
  }

  /// `[B, C, N]`, the target less the base; N are pixels or components.
  private func residual(to target: Target) throws(TorchError) -> Tensor {
    var residual: Tensor
    if let components {
      residual = try target.projected(on: components).coefficients
    } else {
      residual = try target.sized(height: coordinates.shape[2], width: coordinates.shape[3])
    }
    if let base { residual = try residual - paths.perSample(base) }
    return try residual.reshaped([samples, weights.shape[1], residual.shape[2] * residual.shape[3]])
  }

  /// Distances of coefficients, `[B, K]`, as those of pixels.
  private func inPixelUnits(_ distances: Tensor, _ target: Target) throws(TorchError) -> Tensor {
    guard let components else { return distances }
    return try distances * components.pixelShare()
      + target.projected(on: components).remainder.reshaped([samples, 1])
  }

  /// The chosen nodes' images: `[R', C, H, W]`, and the same of the second half of the features with leak choice.
  ///
  /// - Parameters:
  ///   - branching: the choices.
  ///   - leaksChoice: whether the level's features have a second half.
  func chosen(by branching: SharedPaths.Branching, leaksChoice: Bool) throws(TorchError) -> (
    images: Tensor, leaked: Tensor?
  ) {
    let halves = try Self.chosenImages.tensors(  // of each half of the features [R', C, H, W]
      .tensor(leaksChoice ? levelFeatures : coordinates), .tensor(weights), .optional(branching.parentOfRow),
      .tensor(branching.codeOfRow))
    var images = try basis.map { (basis) throws(TorchError) in try basis.values(of: halves[0]) } ?? halves[0]
    if let base { images = try images + branching.inherit(base) }
    return (images, leaksChoice ? halves[1] : nil)
  }

  /// The candidates of a batch in which new image i has the past of image `parents[i]` of this one.
  func selecting(_ selection: SharedPaths.Selection) throws(TorchError) -> Candidates {
    Candidates(
      level: level, paths: selection.paths, levelFeatures: try selection.inherit(levelFeatures),
      features: try selection.inherit(coordinates), basis: basis, weights: weights,
      base: try base.map { (base) throws(TorchError) in try selection.inherit(base) }, components: components)
  }
}
