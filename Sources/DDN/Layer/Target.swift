import Torch

/// The images to approximate, at every level's resolution.
public final class Target {
  /// The filter for levels of a lower resolution.
  public enum Resizing: Sendable {
    case area
    case bilinear
  }

  /// `[B, C, H, W]` in [-1, 1].
  public let images: Tensor
  private let resizing: Resizing
  private var sizes: [[Int]: Tensor] = [:]
  private var projections: [(components: PrincipalComponents, projection: Projection)] = []

  public init(_ images: Tensor, resizing: Resizing = .area) {
    self.images = images
    self.resizing = resizing
  }

  /// The images at a resolution, `[B, C, height, width]`; cached.
  public func sized(height: Int, width: Int) throws(TorchError) -> Tensor {
    if Array(images.shape[2...]) == [height, width] { return images }
    if let cached = sizes[[height, width]] { return cached }
    let resized =
      switch resizing {
      case .area: try images.resizedArea(height: height, width: width)
      case .bilinear: try images.resizedBilinear(height: height, width: width)
      }
    sizes[[height, width]] = resized
    return resized
  }

  /// The images as coefficients of components.
  struct Projection {
    /// `[B, 1, 1, P]`.
    let coefficients: Tensor
    /// `[B]`, the mean square of what they do not express, in units of pixels.
    let remainder: Tensor
    /// `[B, P]`, of all components, of which an autoencoder makes the coefficients.
    let all: Tensor
    /// `[B]`, the mean square of what all components do not express.
    let remainderOfAll: Tensor
  }

  /// The projection on components; cached.
  func projected(on components: PrincipalComponents) throws(TorchError) -> Projection {
    if let cached = projections.first(where: { $0.components === components }) { return cached.projection }
    let sized = try sized(height: components.imageShape[1], width: components.imageShape[2])
    // An autoencoder is not to learn latents that are easy to code.
    let projection = try withoutGradients { () throws(TorchError) in
      let all = try components.project(sized)
      let (coefficients, rest) = (
        try components.numbers(of: all), try components.remainder(of: sized, coefficients: all)
      )
      let remainder =
        components.isLinear ? rest : try rest + components.distances(components.decode(coefficients), all)
      return Projection(coefficients: coefficients, remainder: remainder, all: all, remainderOfAll: rest)
    }
    projections.append((components, projection))
    return projection
  }
}
