import DDN
import Torch

/// What is known of images through a linear operator A: their masked pixels, their gray, a low resolution, a blur.
///
/// A acts on every channel alike, or on the mean of the channels. That makes its guide exact without computing images;
/// see `MeasurementGuide`.
public protocol Measurement {
  /// Whether A averages the channels first.
  var averagesChannels: Bool { get }

  /// How candidates of a level are compared with what is known.
  ///
  /// - Parameters:
  ///   - height: of the level's images.
  ///   - width: of the level's images.
  func comparison(height: Int, width: Int) throws -> Comparison

  /// What is known, to be drawn: `[B, C, h, w]` or `[1, C, h, w]` in [-1, 1], at any resolution.
  func picture() throws -> Tensor
}

extension Measurement {
  public var averagesChannels: Bool { false }

  /// The root of the mean squared error of A over what is known, in gray levels of 255: `[B]`.
  ///
  /// - Parameter images: `[B, C, H, W]` in [-1, 1].
  public func grayLevelErrors(of images: Tensor) throws -> Tensor {
    let candidates = try Candidates(images: images.reshaped([images.shape[0], 1] + images.shape[1...]))
    return try (MeasurementGuide(self).scores(of: candidates) * -1).clamped(0...1e9).reshaped([-1])
      .squareRoot() * 127.5
  }
}

/// A level's squared error: `(sum of weight * (A image - observation)^2 + constant) / divisor`.
public struct Comparison {
  /// `[N, c, h, w]` to `[N, c, h', w']`, A without its mean over channels; nil for the identity.
  public var transform: ((Tensor) throws -> Tensor)?
  /// `[B, C', h', w']`, or one for all images; C' is 1 for a mean over channels.
  public var observation: Tensor
  /// `[B, 1, h', w']` or one for all images, 0 or more; nil for 1.
  public var weight: Tensor?
  /// `[B, 1]` or `[1, 1]`; nil for 0.
  public var constant: Tensor?
  public var divisor: Double

  /// - Parameters:
  ///   - observation: `[B, C', h', w']`, or one for all images.
  ///   - transform: A without its mean over channels; nil for the identity.
  ///   - weight: `[B, 1, h', w']` or one for all images; nil for 1.
  ///   - constant: `[B, 1]` or `[1, 1]`, added to the sum; nil for 0.
  ///   - divisor: nil for the number of values that are compared, which gives their mean.
  public init(
    observation: Tensor, transform: ((Tensor) throws -> Tensor)? = nil, weight: Tensor? = nil, constant: Tensor? = nil,
    divisor: Double? = nil
  ) {
    self.observation = observation
    self.transform = transform
    self.weight = weight
    self.constant = constant
    self.divisor = divisor ?? Double(observation.count / observation.shape[0])
  }

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
    let weight =
      if let weight { weight } else { try Tensor.full([1, 1, shape[2], shape[3]], 1, device: observation.device) }
    let count = try pooled(weight)  // [1, 1, h, w]
    let mean = try pooled(observation * weight) / count.clamped(1e-12...1e30)
    let spread = try pooled(observation.squared() * weight) - count * mean.squared()
    return Comparison(
      observation: mean, weight: count, constant: try spread.sum([1, 2, 3]).reshaped([-1, 1]), divisor: divisor)
  }
}

/// A measurement that is taken of each batch's targets, always by the same A.
public struct PreparedMeasurement: PreparedGuide {
  public let needsTargets: Bool
  private let maps = MeasurementGuide.ComponentMaps()
  private let measure: (GuideBatch) throws -> any Measurement

  /// - Parameters:
  ///   - needsTargets: false when it brings its own picture.
  ///   - measure: takes the measurement.
  public init(needsTargets: Bool = true, _ measure: @escaping (GuideBatch) throws -> any Measurement) {
    self.needsTargets = needsTargets
    self.measure = measure
  }

  func measurement(of batch: GuideBatch) throws -> any Measurement { try measure(batch) }
  public func guide(for batch: GuideBatch) throws -> any Guide {
    MeasurementGuide(try measure(batch), maps: maps)
  }
  public func picture(for batch: GuideBatch) throws -> Tensor? { try measure(batch).picture() }
}
