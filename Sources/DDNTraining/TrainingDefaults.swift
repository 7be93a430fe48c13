import DDN
import DDNData

/// Default training options, shared by options, flags and help texts.
public enum TrainingDefaults {
  public static let images = 200_000
  public static let batch = 128
  public static let learningRate = 1e-3
  public static let secondMomentDecay = 0.999
  public static let adamEpsilon = 1e-8
  public static let rampImages = 0
  public static let cooldownImages = 0
  public static let averageHalfLifeImages = 0.0
  public static let chainDropout = 0.05
  public static let chainDropoutScope = ChainDropout.Scope.batch
  public static let splitRule = SplitPolicy.Rule.totalVariation
  public static let splitWarmupImages = 0
  public static let loss = PixelLoss.squared
  public static let resize = DigitDataset.Resize.bilinear
  public static let seed: UInt64 = 0
  public static let tickImages = 10_000
  public static let saveTicks = 5

  /// What depends on the network, and on whether the original program's values are asked for.
  public struct Learning: Sendable {
    /// The run's length.
    public var images = TrainingDefaults.images
    public var batch = TrainingDefaults.batch
    public var learningRate = TrainingDefaults.learningRate
    /// The part of the run in which the learning rate falls.
    public var cooldownShare = 0.0
    public var chainDropout = TrainingDefaults.chainDropout
    /// Adam's decay of squared gradients.
    public var secondMomentDecay = TrainingDefaults.secondMomentDecay
  }

  /// Of recurrent networks and pyramids.
  public static let learning = Learning()
  /// Of dense networks: what was best in Documentation/Experiments.md.
  public static let dense = Learning(
    batch: 256, learningRate: 2e-3, cooldownShare: 0.75, chainDropout: 0, secondMomentDecay: 0.99)
  /// Of the original's MNIST program.
  public static let originalRecurrent = Learning(images: 30_000_000, batch: 256)
  /// The width of the original's MNIST program.
  public static let originalWidth = 32
  /// Of the original's `train.py`.
  public static let originalPyramid = Learning(images: 200_000_000, batch: 512)
}
