import DDN
import Torch

/// Random variations of training images, so that few images teach as many do.
///
/// An image is shifted, turned, enlarged or shrunk about its middle, its border reflected, and changed in contrast and
/// brightness, all uniformly within limits that grow with the strength.
public struct Augmentation {
  /// At strength 1: the shift as a share of the side, the turn in radians, and the shares of size, contrast and
  /// half-range of brightness.
  static let limits = (shift: 0.03, turn: 0.08, size: 0.06, contrast: 0.15, brightness: 0.1)

  private static let gridOperator = Operator("aten::affine_grid_generator")
  private static let sampleOperator = Operator("aten::grid_sampler")
  private static let (bicubic, reflection) = (2, 2)

  /// 0 leaves every image as it is.
  public let strength: Double

  private let share: BatchShare

  /// - Parameters:
  ///   - strength: 0 leaves every image as it is.
  ///   - share: the images of a batch over several processes that this one has; all of them draw the same numbers.
  public init(strength: Double, share: BatchShare = .whole) {
    self.strength = strength
    self.share = share
  }

  /// Varies each image by itself.
  ///
  /// - Parameters:
  ///   - images: `[B, C, S, S]` in [-1, 1].
  ///   - generator: of the images' device.
  /// - Returns: the same shape and range.
  public func callAsFunction(_ images: Tensor, generator: Generator) throws(TorchError) -> Tensor {
    guard strength > 0 else { return images }
    let (count, limits) = (images.shape[0], Self.limits)
    // [6, B], uniform in [-strength, strength).
    let uniform = try share.part(of: .uniform([6, share.batch(of: count)], generator: generator))
    let draws = try (uniform * 2 - 1) * strength
    func draw(_ row: Int, _ limit: Double) throws(TorchError) -> Tensor { try draws.select(0, row) * limit }

    // From places of the result to places of the image, whose sides are [-1, 1]; for small angles, sin t = t.
    let (size, turn) = (try draw(0, limits.size) + 1, try draw(1, limits.turn))
    let (across, down) = (try draw(2, 2 * limits.shift), try draw(3, 2 * limits.shift))
    let rows = try [
      Tensor.stack([size, turn * -1, across], dimension: 1), Tensor.stack([turn, size, down], dimension: 1),
    ]
    let grid = try Self.gridOperator.tensor(
      .tensor(.stack(rows, dimension: 1)), .ints(images.shape), .bool(false))  // [B, S, S, 2]
    let moved = try Self.sampleOperator.tensor(
      .tensor(images), .tensor(grid), .int(Self.bicubic), .int(Self.reflection), .bool(false))

    let contrast = try (draw(4, limits.contrast) + 1).reshaped([count, 1, 1, 1])
    let brightness = try draw(5, limits.brightness).reshaped([count, 1, 1, 1])
    return try (moved * contrast + brightness).clamped(-1...1)
  }
}
