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
  private let measurement: any Measurement

  public init(_ measurement: any Measurement) { self.measurement = measurement }

  public func scores(of candidates: Candidates) throws -> Tensor {
    let comparison = try measurement.comparison(
      height: candidates.features.shape[2], width: candidates.features.shape[3])
    let root = try comparison.weight.map { try $0.squareRoot() }
    func measured(_ images: Tensor) throws -> Tensor {
      let transformed = try comparison.transform.map { try $0(images) } ?? images
      return try root.map { try transformed * $0 } ?? transformed
    }
    func averaged(_ tensor: Tensor, over dimension: Int) throws -> Tensor {
      try measurement.averagesChannels ? tensor.mean([dimension], keepingDimensions: true) : tensor
    }
    let features = try measured(candidates.features)  // [R, F, h', w']
    var residual = try root.map { try comparison.observation * $0 } ?? comparison.observation
    if let base = candidates.base {
      residual = try residual - candidates.paths.perSample(averaged(measured(base), over: 1))
    }
    let weights = try averaged(candidates.weights, over: 1)  // [K, C', F]
    let (shape, channels) = (features.shape, weights.shape[1])
    let pixels = shape[2] * shape[3]
    let distances = try NodeDistances.all(
      features: features.reshaped([shape[0], shape[1], pixels]), weights: weights,
      residual: residual.expanded([candidates.samples, channels, shape[2], shape[3]])
        .reshaped([candidates.samples, channels, pixels]), paths: candidates.paths)  // [B, K]
    let errors = try distances * (Double(channels * pixels) / comparison.divisor)
    guard let constant = comparison.constant else { return try errors * -1 }
    return try (errors + constant * (1 / comparison.divisor)) * -1
  }
}
