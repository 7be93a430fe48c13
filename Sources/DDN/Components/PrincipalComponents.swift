import Torch

/// A space of images: the mean image plus orthonormal components, each multiplied by a coefficient.
///
/// The 1x1 convolution of a node commutes with linear maps over pixels. A layer may therefore compute and choose in
/// coefficients, P numbers instead of C x H x W pixels: distances are those of pixels less a constant of the target.
public final class PrincipalComponents: Module {
  /// `[C, H, W]`.
  let mean: Parameter
  /// `[P, C H W]`, rows of norm 1.
  let components: Parameter
  /// `[1]`, the unit of coefficients: their root mean square over images and components.
  let scale: Parameter

  public let imageShape: [Int]
  /// P.
  public let count: Int

  /// Components that are zero until they are fitted or loaded.
  ///
  /// - Parameters:
  ///   - count: P, at most the values of an image.
  ///   - imageShape: `[C, H, W]`.
  init(count: Int, imageShape: [Int]) throws(TorchError) {
    precondition(count <= imageShape.reduce(1, *), "\(count) components of images of \(imageShape)")
    self.count = count
    self.imageShape = imageShape
    mean = try Parameter(.zeros(imageShape), isTrainable: false)
    components = try Parameter(.zeros([count, imageShape.reduce(1, *)]), isTrainable: false)
    scale = try Parameter(.full([1], 1), isTrainable: false)
  }

  /// Fits mean and components to images.
  ///
  /// - Throws: what the source and `progress` throw; `TorchError`.
  func fit(to source: any EncodingSource, progress: (Double) throws -> Void = { _ in }) throws {
    let axes = try PrincipalAxes(of: source, count: source.count, kept: count, progress: progress)
    let scale = (axes.variances.prefix(count).reduce(0, +) / Double(count)).squareRoot()
    try mean.tensor.copy(from: axes.mean.reshaped(imageShape))
    try components.tensor.copy(from: axes.vectors.transposed(0, 1))
    try self.scale.tensor.copy(from: .full([1], max(scale, 1e-6)))
  }

  /// `[B, C, H, W]` to `[B, 1, 1, P]`.
  func coefficients(of images: Tensor) throws(TorchError) -> Tensor {
    let values = try (images.to(.float32) - mean.tensor).reshaped([images.shape[0], -1])
    return try (values.linear(components.tensor, in: mode) / scale.tensor).reshaped([images.shape[0], 1, 1, count])
  }

  /// `[B, 1, 1, P]` to `[B, C, H, W]`.
  func images(of coefficients: Tensor) throws(TorchError) -> Tensor {
    let rows = coefficients.shape[0]
    let values = try (coefficients * scale.tensor).reshaped([rows, count])
      .linear(components.tensor.transposed(0, 1), in: mode)
    return try values.reshaped([rows] + imageShape) + mean.tensor
  }

  /// The images of features, without the mean: `[R, F, 1, P]` to `[R, F C, H, W]`.
  func pixels(of features: Tensor) throws(TorchError) -> Tensor {
    let (rows, width) = (features.shape[0], features.shape[1])
    return try (features * scale.tensor).reshaped([rows * width, count])
      .linear(components.tensor.transposed(0, 1), in: mode)
      .reshaped([rows, width * imageShape[0], imageShape[1], imageShape[2]])
  }

  /// What a mean square over coefficients is multiplied by to be one over pixels: `[1]`.
  func pixelShare() throws(TorchError) -> Tensor {
    try scale.tensor.squared() * (Double(count) / Double(imageShape.reduce(1, *)))
  }

  /// The mean square of images that no coefficient expresses: `[B]`.
  ///
  /// - Parameter coefficients: of the images.
  func remainder(of images: Tensor, coefficients: Tensor) throws(TorchError) -> Tensor {
    let whole = try (images.to(.float32) - mean.tensor).squared().mean([1, 2, 3])
    return try (whole - coefficients.squared().mean([1, 2, 3]) * pixelShare()).clamped(0...Double.infinity)
  }
}
