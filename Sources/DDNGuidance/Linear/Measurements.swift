import DDN
import Torch

/// All pixels, perhaps noisy or of few shades: the guide that reconstructs.
public struct PixelMeasurement: Measurement {
  private let target: Target

  /// - Parameter images: `[B, C, H, W]` in [-1, 1].
  public init(_ images: Tensor) { target = Target(images) }

  /// Images with Gaussian noise.
  ///
  /// - Parameter deviation: in units of [-1, 1]; the original's is 0.53.
  public init(_ images: Tensor, noise deviation: Double, generator: Generator) throws(TorchError) {
    self.init(try images + Tensor.normal(images.shape, generator: generator) * deviation)
  }

  /// Images of few shades: `round(x * n / 2) * 2 / n`.
  ///
  /// - Parameter steps: n, between -1 and 1; the original's is 4.
  public init(_ images: Tensor, steps: Int) throws(TorchError) {
    self.init(try (images * (Double(steps) / 2)).rounded() * (2 / Double(steps)))
  }

  public func comparison(height: Int, width: Int) throws -> Comparison {
    Comparison(observation: try target.sized(height: height, width: width))
  }
}

/// The mean of the channels, for colouring.
public struct GrayMeasurement: Measurement {
  private let target: Target

  /// - Parameter images: `[B, C, H, W]` in [-1, 1].
  public init(_ images: Tensor) throws(TorchError) {
    target = Target(try images.mean([1], keepingDimensions: true))
  }

  public var averagesChannels: Bool { true }

  public func comparison(height: Int, width: Int) throws -> Comparison {
    Comparison(observation: try target.sized(height: height, width: width))
  }
}

/// A lower resolution, for super-resolution.
public struct LowResolutionMeasurement: Measurement {
  private let observation: Tensor

  /// - Parameters:
  ///   - images: `[B, C, H, W]` in [-1, 1], of any size; those of a low resolution are compared as they are.
  ///   - height: of the low resolution.
  ///   - width: of the low resolution.
  public init(_ images: Tensor, height: Int, width: Int) throws(TorchError) {
    observation = try images.resizedArea(height: height, width: width)
  }

  public func comparison(height: Int, width: Int) throws -> Comparison {
    let (lowHeight, lowWidth) = (observation.shape[2], observation.shape[3])
    guard lowHeight % height == 0, lowWidth % width == 0 else {
      return Comparison(
        observation: observation, transform: { try $0.resizedArea(height: lowHeight, width: lowWidth) })
    }
    return try .replicated(observation, height: height, width: width)
  }
}

/// Some pixels, for inpainting, for strokes of a brush, or for compressed sensing.
public struct MaskMeasurement: Measurement {
  private let observation: Tensor
  private let mask: Tensor

  /// - Parameters:
  ///   - images: `[B, C, H, W]` in [-1, 1].
  ///   - mask: `[H, W]`, how much each pixel counts: 0 or more.
  public init(_ images: Tensor, mask: Tensor) throws(TorchError) {
    observation = images
    self.mask = try mask.reshaped([1, 1] + mask.shape)
  }

  public func comparison(height: Int, width: Int) throws -> Comparison {
    let divisor = try mask.sum().item() * Double(observation.shape[1])
    return try .replicated(
      observation, weight: mask, height: height, width: width, divisor: divisor + 1e-5 * Double(observation.shape[1]))
  }
}

extension Comparison {
  /// Compares images of a level, their pixels repeated, with an observation of a multiple of their size.
  ///
  /// All pixels that show one pixel of the level need only their sums: with weights w and observations y,
  /// `sum of w (x - y)^2 = n (x - m)^2 + sum of w (y - m)^2`, where n is the sum of w and m the weighted mean of y.
  static func replicated(
    _ observation: Tensor, weight: Tensor? = nil, height: Int, width: Int, divisor: Double? = nil
  ) throws(TorchError) -> Comparison {
    let shape = observation.shape
    let divisor = divisor ?? Double(shape[1] * shape[2] * shape[3])
    if shape[2] == height, shape[3] == width {
      return Comparison(observation: observation, weight: weight, divisor: divisor)
    }
    let area = Double(shape[2] / height * shape[3] / width)
    func pooled(_ tensor: Tensor) throws(TorchError) -> Tensor {
      try tensor.resizedArea(height: height, width: width) * area  // sums
    }
    let weight = try weight ?? .full([1, 1, shape[2], shape[3]], 1, device: observation.device)
    let count = try pooled(weight)  // [1, 1, h, w]
    let mean = try pooled(observation * weight) / count.clamped(1e-12...Double.greatestFiniteMagnitude)
    let spread = try pooled(observation.squared() * weight) - count * mean.squared()
    return Comparison(
      observation: mean, weight: count, constant: try spread.sum([1, 2, 3]).reshaped([-1, 1]), divisor: divisor)
  }
}

extension Tensor {
  private static let roundOperator = Operator("aten::round")
  private static let rootOperator = Operator("aten::sqrt")

  /// To the nearest integer, halves to even.
  func rounded() throws(TorchError) -> Tensor { try Tensor.roundOperator.tensor(.tensor(self)) }
  func squareRoot() throws(TorchError) -> Tensor { try Tensor.rootOperator.tensor(.tensor(self)) }
}
