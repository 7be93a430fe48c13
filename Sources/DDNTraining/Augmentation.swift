import DDN
import Torch

/// Random variations of training images, so that few images teach as many do.
///
/// An image is shifted, turned, enlarged or shrunk about its middle, and bent; its border is reflected. Then its contrast
/// changes from place to place, it is mixed with another image, and it is changed in contrast and brightness as a whole.
public struct Augmentation {
  /// How much images vary; 0 leaves out the kind.
  public struct Strengths: Sendable, Equatable {
    /// Of shift, turn, size, contrast and brightness, uniform within `limits` times this.
    public var whole: Double
    /// The standard deviation by which the places of a grid of 5 x 5 move, as a share of the side; others move smoothly
    /// with them.
    public var warp: Double
    /// The standard deviation of the contrast at the places of a grid of 3 x 3, smooth between them.
    public var shade: Double
    /// The standard deviation of an angle a, in radians: of images x and y less the batch's mean, cos(a) x + sin(a) y has
    /// their variance for any angle.
    public var mix: Double

    public init(whole: Double = 0, warp: Double = 0, shade: Double = 0, mix: Double = 0) {
      self.whole = whole
      self.warp = warp
      self.shade = shade
      self.mix = mix
    }
  }

  /// At strength 1: the shift as a share of the side, the turn in radians, and the shares of size, contrast and
  /// half-range of brightness.
  static let limits = (shift: 0.03, turn: 0.08, size: 0.06, contrast: 0.15, brightness: 0.1)

  private static let gridOperator = Operator("aten::affine_grid_generator")
  private static let sampleOperator = Operator("aten::grid_sampler")
  private static let enlargeOperator = Operator("aten::upsample_bicubic2d")
  private static let permuteOperator = Operator("aten::permute")
  private static let cosineOperator = Operator("aten::cos")
  private static let sineOperator = Operator("aten::sin")
  private static let (bicubic, reflection) = (2, 2)

  public let strengths: Strengths

  private let share: BatchShare

  /// - Parameters:
  ///   - strengths: all 0 leave every image as it is.
  ///   - share: the images of a batch over several processes that this one has; all of them draw the same numbers. An
  ///     image is mixed with another one that the process has.
  public init(_ strengths: Strengths, share: BatchShare = .whole) {
    self.strengths = strengths
    self.share = share
  }

  /// Varies each image separately.
  ///
  /// - Parameters:
  ///   - images: `[B, C, S, S]` in [-1, 1].
  ///   - generator: of the images' device.
  /// - Returns: the same shape and range.
  public func callAsFunction(_ images: Tensor, generator: Generator) throws(TorchError) -> Tensor {
    guard strengths != Strengths() else { return images }
    let (count, limits) = (images.shape[0], Self.limits)
    // [6, B], uniform in [-strength, strength).
    let uniform = try share.part(of: .uniform([6, share.batch(of: count)], generator: generator))
    let draws = try (uniform * 2 - 1) * strengths.whole
    func draw(_ row: Int, _ limit: Double) throws(TorchError) -> Tensor { try draws.select(0, row) * limit }

    // From places of the result to places of the image, whose sides are [-1, 1]; for small angles, sin t = t.
    let (size, turn) = (try draw(0, limits.size) + 1, try draw(1, limits.turn))
    let (across, down) = (try draw(2, 2 * limits.shift), try draw(3, 2 * limits.shift))
    let rows = try [
      Tensor.stack([size, turn * -1, across], dimension: 1), Tensor.stack([turn, size, down], dimension: 1),
    ]
    var grid = try Self.gridOperator.tensor(
      .tensor(.stack(rows, dimension: 1)), .ints(images.shape), .bool(false))  // [B, S, S, 2]
    if strengths.warp > 0 {
      let bend = try smooth(channels: 2, cells: 5, deviation: 2 * strengths.warp, like: images, generator)
      grid = try grid + Self.permuteOperator.tensor(.tensor(bend), .ints([0, 2, 3, 1]))
    }
    var varied = try Self.sampleOperator.tensor(
      .tensor(images), .tensor(grid), .int(Self.bicubic), .int(Self.reflection), .bool(false))

    if strengths.shade > 0 {
      varied = try varied * (smooth(channels: 1, cells: 3, deviation: strengths.shade, like: images, generator) + 1)
    }
    if strengths.mix > 0 { varied = try mixed(varied, generator) }
    let contrast = try (draw(4, limits.contrast) + 1).reshaped([count, 1, 1, 1])
    let brightness = try draw(5, limits.brightness).reshaped([count, 1, 1, 1])
    return try (varied * contrast + brightness).clamped(-1...1)
  }

  /// `[B, channels, S, S]`: normal numbers at the places of a grid, bicubic between them.
  private func smooth(
    channels: Int, cells: Int, deviation: Double, like images: Tensor, _ generator: Generator
  ) throws(TorchError) -> Tensor {
    let numbers = try normal([channels, cells, cells], count: images.shape[0], generator) * deviation
    return try Self.enlargeOperator.tensor(
      .tensor(numbers), .ints(Array(images.shape[2...])), .bool(true), .none, .none)
  }

  /// Each image mixed with the next.
  private func mixed(_ images: Tensor, _ generator: Generator) throws(TorchError) -> Tensor {
    let count = images.shape[0]
    let angle = try normal([1, 1, 1], count: count, generator) * strengths.mix
    let mean = try images.mean([0], keepingDimensions: true)
    let beyond = try images - mean
    let next = try Tensor.concatenate([beyond.slice(0, 1..<count), beyond.slice(0, 0..<1)])
    return try beyond * Self.cosineOperator.tensor(.tensor(angle)) + next * Self.sineOperator.tensor(.tensor(angle))
      + mean
  }

  /// `[B] + shape`, this process's part of the whole batch's numbers.
  private func normal(_ shape: [Int], count: Int, _ generator: Generator) throws(TorchError) -> Tensor {
    let whole = share.batch(of: count)
    let numbers = try Tensor.normal([whole, shape.reduce(1, *)], generator: generator)
    return try share.part(of: numbers.transposed(0, 1)).transposed(0, 1).reshaped([count] + shape)
  }
}
