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
}
