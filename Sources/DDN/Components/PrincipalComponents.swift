import Torch

/// A space of images: the mean image plus orthonormal components, each multiplied by a coefficient.
///
/// The 1x1 convolution of a node commutes with linear maps over pixels. A layer may therefore compute and choose in
/// coefficients, P numbers instead of C x H x W pixels: distances are those of pixels less a constant of the target.
///
/// With an autoencoder an image's numbers are its latents: nodes and distances are in latents, which pixels follow only
/// roughly, and an image is what the decoder computes.
public final class PrincipalComponents: Module {
  /// `[C, H, W]`.
  let mean: Parameter
  /// `[P, C H W]`, rows of norm 1.
  let components: Parameter
  /// `[1]`, the unit of coefficients: their root mean square over images and components.
  let scale: Parameter

  public let imageShape: [Int]
  /// N, the numbers of an image: its P coefficients, or its latents.
  public let count: Int
  /// Between latents and coefficients; nil for images in coefficients.
  let autoencoder: LatentAutoencoder?
  /// Squares on a side: the components are those of each square in turn, and zero elsewhere.
  let patchSide: Int

  /// Components that are zero until they are fitted or loaded.
  ///
  /// - Parameters:
  ///   - count: of components, at most the values of an image.
  ///   - imageShape: `[C, H, W]`.
  ///   - patchSide: squares on a side that have separate components, as many each.
  ///   - autoencoder: not for patches.
  init(
    count: Int, imageShape: [Int], patchSide: Int = 1, autoencoder: LatentAutoencoder? = nil
  ) throws(TorchError) {
    precondition(count <= imageShape.reduce(1, *), "\(count) components of images of \(imageShape)")
    precondition(autoencoder == nil || patchSide == 1, "an autoencoder of patches")
    self.count = autoencoder?.count ?? count
    self.autoencoder = autoencoder
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
    let kept = componentCount / (patchSide * patchSide)
    let linearShare = autoencoder == nil ? 1 : 0.2
    var variance = 0.0
    for patch in 0..<patchSide * patchSide {
      let (rows, columns) = square(patch)
      let patches = PatchSource(images: source, rows: rows, columns: columns)
      let axes = try PrincipalAxes(of: patches, count: source.count, kept: kept) { done in
        try progress(linearShare * (Double(patch) + done) / Double(patchSide * patchSide))
      }
      variance += axes.variances.prefix(kept).reduce(0, +)
      let patchShape = [imageShape[0], rows.count, columns.count]
      try mean.tensor.slice(1, rows).slice(2, columns).copy(from: axes.mean.reshaped(patchShape))
      try components.tensor.reshaped([componentCount] + imageShape).slice(0, patch * kept..<(patch + 1) * kept)
        .slice(2, rows).slice(3, columns)
        .copy(from: axes.vectors.transposed(0, 1).reshaped([kept] + patchShape))
    }
    try scale.tensor.copy(from: .full([1], max((variance / Double(componentCount)).squareRoot(), 1e-6)))
    try autoencoder?.fit(to: source, project: project) { try progress(linearShare + (1 - linearShare) * $0) }
  }

  /// Whether images are linear in their numbers.
  public var isLinear: Bool { autoencoder == nil }

  /// All components, of which an autoencoder makes fewer numbers.
  private var componentCount: Int { components.tensor.shape[0] }

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

  /// The numbers of images with the coefficients `[B, P]` of all components: `[B, 1, 1, N]`.
  func numbers(of coefficients: Tensor) throws(TorchError) -> Tensor {
    try (autoencoder?.encode(coefficients) ?? coefficients).reshaped([coefficients.shape[0], 1, 1, count])
  }

  /// The coefficients of all components that latents are decoded to, `[B, P]`; coefficients themselves without an
  /// autoencoder.
  ///
  /// - Parameter numbers: `[B, 1, 1, N]`.
  func decode(_ numbers: Tensor) throws(TorchError) -> Tensor {
    let rows = try numbers.reshaped([numbers.shape[0], count])
    return try autoencoder?.decode(rows) ?? rows
  }

  /// `[B, C, H, W]` to the coefficients of all components, `[B, P]`.
  func project(_ images: Tensor) throws(TorchError) -> Tensor {
    let values = try (images.to(.float32) - mean.tensor).reshaped([images.shape[0], -1])
    return try values.linear(components.tensor, in: mode) / scale.tensor
  }

  /// `[B, 1, 1, N]` to `[B, C, H, W]`.
  func images(of numbers: Tensor) throws(TorchError) -> Tensor {
    let rows = numbers.shape[0]
    let values = try (decode(numbers) * scale.tensor)
      .linear(components.tensor.transposed(0, 1), in: mode)
    return try values.reshaped([rows] + imageShape) + mean.tensor
  }

  /// The images of features, without the mean: `[R, F, 1, P]` to `[R, F C, H, W]`. Only of linear ones.
  func pixels(of features: Tensor) throws(TorchError) -> Tensor {
    precondition(isLinear, "features of latents have no images")
    let (rows, width) = (features.shape[0], features.shape[1])
    return try (features * scale.tensor).reshaped([rows * width, count])
      .linear(components.tensor.transposed(0, 1), in: mode)
      .reshaped([rows, width * imageShape[0], imageShape[1], imageShape[2]])
  }

  /// The factor from a mean square over coefficients, all N numbers unless given, to one over pixels: `[1]`.
  func pixelShare(of coefficients: Int? = nil) throws(TorchError) -> Tensor {
    try scale.tensor.squared() * (Double(coefficients ?? count) / Double(imageShape.reduce(1, *)))
  }

  /// The mean square of images that no component expresses: `[B]`.
  ///
  /// - Parameter coefficients: `[B, P]`, the images' of all components.
  func remainder(of images: Tensor, coefficients: Tensor) throws(TorchError) -> Tensor {
    let whole = try (images.to(.float32) - mean.tensor).squared().mean([1, 2, 3])
    let expressed = try coefficients.squared().mean([1]) * pixelShare(of: componentCount)
    return try (whole - expressed).clamped(0...Double.infinity)
  }

  /// The mean squared difference of images in units of pixels, from the coefficients of all components: `[B]`.
  func distances(_ first: Tensor, _ second: Tensor) throws(TorchError) -> Tensor {
    try (first - second).squared().mean([1]) * pixelShare(of: componentCount)
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
