import Torch

/// The images to approximate, at every resolution that a level asks for.
public final class Target {
  /// How a target is reduced for a level of a lower resolution.
  public enum Resizing: Sendable {
    case area
    case bilinear
  }

  /// `[B, C, H, W]` in [-1, 1].
  public let images: Tensor
  private let resizing: Resizing
  private var sizes: [[Int]: Tensor] = [:]

  public init(_ images: Tensor, resizing: Resizing = .area) {
    self.images = images
    self.resizing = resizing
  }

  /// The images at a resolution, `[B, C, height, width]`; computed once.
  public func sized(height: Int, width: Int) throws(TorchError) -> Tensor {
    if Array(images.shape[2...]) == [height, width] { return images }
    if let known = sizes[[height, width]] { return known }
    let resized =
      switch resizing {
      case .area: try images.resizedArea(height: height, width: width)
      case .bilinear: try images.resizedBilinear(height: height, width: width)
      }
    sizes[[height, width]] = resized
    return resized
  }
}
