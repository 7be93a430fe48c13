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
  /// Squares on a side: the components are those of each square in turn, and zero elsewhere.
  let patchSide: Int

  /// Components that are zero until they are fitted or loaded.
  ///
  /// - Parameters:
  ///   - count: P, at most the values of an image.
  ///   - imageShape: `[C, H, W]`.
  ///   - patchSide: squares on a side that have separate components, as many each.
  init(count: Int, imageShape: [Int], patchSide: Int = 1) throws(TorchError) {
    precondition(count <= imageShape.reduce(1, *), "\(count) components of images of \(imageShape)")
    self.count = count
    self.imageShape = imageShape
    self.patchSide = patchSide
    mean = try Parameter(.zeros(imageShape), isTrainable: false)
    components = try Parameter(.zeros([count, imageShape.reduce(1, *)]), isTrainable: false)
    scale = try Parameter(.full([1], 1), isTrainable: false)
  }

  /// Fits mean and components to images.
  ///
  /// - Throws: what the source and `progress` throw; `TorchError`.
  func fit(to source: any EncodingSource, progress: (Double) throws -> Void = { _ in }) throws {
    let kept = count / (patchSide * patchSide)
    var variance = 0.0
    for patch in 0..<patchSide * patchSide {
      let (rows, columns) = square(patch)
      let patches = PatchSource(images: source, rows: rows, columns: columns)
      let axes = try PrincipalAxes(of: patches, count: source.count, kept: kept) { done in
        try progress((Double(patch) + done) / Double(patchSide * patchSide))
      }
      variance += axes.variances.prefix(kept).reduce(0, +)
      let patchShape = [imageShape[0], rows.count, columns.count]
      try mean.tensor.slice(1, rows).slice(2, columns).copy(from: axes.mean.reshaped(patchShape))
      try components.tensor.reshaped([count] + imageShape).slice(0, patch * kept..<(patch + 1) * kept)
        .slice(2, rows).slice(3, columns)
        .copy(from: axes.vectors.transposed(0, 1).reshaped([kept] + patchShape))
    }
    try scale.tensor.copy(from: .full([1], max((variance / Double(count)).squareRoot(), 1e-6)))
  }

  /// The pixels of a square.
  private func square(_ patch: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let side = imageShape[1] / patchSide
    let (row, column) = patch.quotientAndRemainder(dividingBy: patchSide)
    return (row * side..<(row + 1) * side, column * side..<(column + 1) * side)
  }

  /// `[1, 1, 1, P]` for each square, 1 for its components; empty for one square.
  func patchMasks() throws(TorchError) -> [Tensor] {
    let patches = patchSide * patchSide
    guard patches > 1 else { return [] }
    let kept = count / patches
    var masks: [Tensor] = []
    for patch in 0..<patches {
      masks.append(try Tensor((0..<count).map { $0 / kept == patch ? 1 : 0 } as [Float], shape: [1, 1, 1, count]))
    }
    return masks
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

/// Squares of images.
private struct PatchSource: EncodingSource {
  let images: any EncodingSource
  let rows: Range<Int>
  let columns: Range<Int>

  var count: Int { images.count }

  func images(in range: Range<Int>) throws -> (images: Tensor, classes: Tensor?) {
    let (images, classes) = try images.images(in: range)
    return (try images.slice(2, rows).slice(3, columns), classes)
  }
}
