import DDN
import DDNData

/// Default training options, shared by options, flags and help texts.
public enum TrainingDefaults {
  public static let images = 200_000
  public static let batch = 128
  public static let learningRate = 1e-3
  public static let rampImages = 0
  public static let cooldownImages = 0
  public static let averageHalfLifeImages = 0.0
  public static let chainDropout = 0.05
  public static let chainDropoutScope = ChainDropout.Scope.batch
  public static let splitRule = SplitPolicy.Rule.totalVariation
  public static let splitWarmupImages = 0
  public static let loss = NodeDistances.Measure.squared
  public static let resize = DigitDataset.Resize.bilinear
  public static let seed: UInt64 = 0
  public static let tickImages = 10_000
  public static let saveTicks = 5

  /// Of dense networks, where they differ: what was best in Documentation/Experiments.md.
  public enum Dense {
    public static let batch = 256
    public static let learningRate = 2e-3
    /// The part of the run in which the learning rate falls.
    public static let cooldownShare = 0.75
    public static let chainDropout = 0.0
  }
}
