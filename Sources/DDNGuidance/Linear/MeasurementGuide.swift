import DDN
import Torch

/// Scores candidates by how well they agree with a linear measurement, without computing their images.
///
/// Candidate k is `W_k X + base`, so its measurement is `W_k A(X) + A(base)`: the layer's own identity on transformed
/// features gives every squared error `|A(W_k X + base) - y|^2` at about the price of encoding.
///
/// The score is the negative squared error; it ranks like the original's `softmax(-error)`.
/// Source: paper, section 4 (zero-shot conditional generation); the identity is this project's.
public struct MeasurementGuide: Guide {
  public let measurement: any Measurement
  private let comparisons = Comparisons()
  private let maps: ComponentMaps

  /// Of each resolution, which many levels share.
  private final class Comparisons {
    var ofSize: [[Int]: Sized] = [:]
  }

  private struct Sized {
    let comparison: Comparison
    let rootOfWeight: Tensor?
    /// For a network with components.
    var goal: MeasuredComponents.Goal?
  }

  /// The measurement of each network's components; guides of further batches can share them.
  final class ComponentMaps {
    fileprivate var ofComponents: [ObjectIdentifier: (components: PrincipalComponents, map: MeasuredComponents)] = [:]
  }

  /// - Parameter measurement: of the batch's targets.
  public init(_ measurement: any Measurement) { self.init(measurement, maps: ComponentMaps()) }

  /// - Parameters:
  ///   - measurement: of the batch's targets.
  ///   - maps: of measurements of other batches by the same A.
  init(_ measurement: any Measurement, maps: ComponentMaps) {
    self.measurement = measurement
    self.maps = maps
  }

  public func scores(of candidates: Candidates) throws -> Tensor {
    let size = Array(candidates.imageShape[1...])
    if comparisons.ofSize[size] == nil {
      let comparison = try measurement.comparison(height: size[0], width: size[1])
      comparisons.ofSize[size] = Sized(
        comparison: comparison, rootOfWeight: try comparison.weight.map { try $0.squareRoot() })
    }
    let sized = comparisons.ofSize[size]!
    // Weights of each image leave no map to share.
    if let components = candidates.components, components.isLinear, (sized.rootOfWeight?.shape[0] ?? 1) == 1 {
      return try scores(of: candidates, components, sized)
    }
    return try scores(of: candidates.inPixels(), by: sized.comparison, rootOfWeight: sized.rootOfWeight)
  }

  private func scores(
    of candidates: Candidates, _ components: PrincipalComponents, _ sized: Sized
  ) throws -> Tensor {
    let (comparison, root) = (sized.comparison, sized.rootOfWeight)
    let key = ObjectIdentifier(components)
    if maps.ofComponents[key] == nil {
      let map = try MeasuredComponents(components) { images in
        try averaged(measured(images, by: comparison, root), over: 1)
      }
      maps.ofComponents[key] = (components, map)
    }
    let map = maps.ofComponents[key]!.map
    let goal = try sized.goal ?? map.goal(of: root.map { try comparison.observation * $0 } ?? comparison.observation)
    comparisons.ofSize[Array(candidates.imageShape[1...])]!.goal = goal
    return try scored(map.squaredErrors(of: candidates, to: goal), by: comparison)
  }

  private func scores(
    of candidates: Candidates, by comparison: Comparison, rootOfWeight root: Tensor?
  ) throws -> Tensor {
    var (paths, features, base) = (candidates.paths, try candidates.features, candidates.base)
    if let root, root.shape[0] > 1, paths.rowOfSample != nil {
      // Weights of each image leave no rows to share.
      (features, base) = (try paths.perSample(features), try base.map { try paths.perSample($0) })
      paths = .separate(samples: paths.samples)
    }
    features = try measured(features, by: comparison, root)  // [R, F, h', w']
    var residual = try root.map { try comparison.observation * $0 } ?? comparison.observation
    if let base { residual = try residual - paths.perSample(averaged(measured(base, by: comparison, root), over: 1)) }
    let weights = try averaged(candidates.weights, over: 1)  // [K, C', F]
    let (shape, channels) = (features.shape, weights.shape[1])
    let pixels = shape[2] * shape[3]
    let distances = try NodeDistances.all(
      features: features.reshaped([shape[0], shape[1], pixels]), weights: weights,
      residual: residual.expanded([paths.samples, channels, shape[2], shape[3]])
        .reshaped([paths.samples, channels, pixels]), paths: paths)  // [B, K]
    return try scored(distances * Double(channels * pixels), by: comparison)
  }

  /// A's measurement of every channel, weighted.
  private func measured(_ images: Tensor, by comparison: Comparison, _ root: Tensor?) throws -> Tensor {
    let transformed = try comparison.transform.map { try $0(images) } ?? images
    return try root.map { try transformed * $0 } ?? transformed
  }

  private func averaged(_ tensor: Tensor, over dimension: Int) throws -> Tensor {
    try measurement.averagesChannels ? tensor.mean([dimension], keepingDimensions: true) : tensor
  }

  /// - Parameter sums: `[B, K]` of weighted squared errors.
  private func scored(_ sums: Tensor, by comparison: Comparison) throws -> Tensor {
    let errors = try sums * (1 / comparison.divisor)
    guard let constant = comparison.constant else { return try errors * -1 }
    return try (errors + constant * (1 / comparison.divisor)) * -1
  }
}
