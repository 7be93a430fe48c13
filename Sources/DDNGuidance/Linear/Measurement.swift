import Torch

/// What is known of images through a linear operator A: their masked pixels, their gray, a low resolution, a blur.
///
/// A acts on every channel alike, or on the mean of the channels. That makes its guide exact without computing images; see
/// `MeasurementGuide`.
public protocol Measurement {
  /// Whether A averages the channels first.
  var averagesChannels: Bool { get }

  /// How candidates of a level are compared with what is known.
  ///
  /// - Parameters:
  ///   - height: of the level's images.
  ///   - width: of the level's images.
  func comparison(height: Int, width: Int) throws -> Comparison
}

extension Measurement {
  public var averagesChannels: Bool { false }
}

/// A level's squared error: `(sum of weight * (A image - observation)^2 + constant) / divisor`.
public struct Comparison {
  /// `[N, c, h, w]` to `[N, c, h', w']`, A without its mean over channels; nil for the identity.
  public var transform: ((Tensor) throws -> Tensor)?
  /// `[B, C', h', w']`, or one for all images; C' is 1 for a mean over channels.
  public var observation: Tensor
  /// `[1, 1, h', w']`, 0 or more; nil for 1.
  public var weight: Tensor?
  /// `[B, 1]` or `[1, 1]`; nil for 0.
  public var constant: Tensor?
  public var divisor: Double

  /// - Parameter divisor: nil for the number of values that are compared, which gives their mean.
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
}
