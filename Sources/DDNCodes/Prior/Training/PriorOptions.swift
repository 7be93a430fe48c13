/// How a prior is trained.
public struct PriorOptions: Codable, Sendable, Equatable {
  /// D.
  public var width: Int
  /// H.
  public var hidden: Int
  /// Passes over the codes.
  public var epochs: Double
  /// Ends the training earlier; nil for no limit.
  public var minutes: Double?
  /// Codes per step.
  public var batch: Int
  /// Peak of Adam's learning rate.
  public var learningRate: Double
  /// Probability that a unit is left out.
  public var dropout: Double
  /// Of the weights, the order and dropout.
  public var seed: UInt64

  public static let defaultWidth = 512
  public static let defaultHidden = 256
  public static let defaultEpochs = 40.0
  public static let defaultBatch = 256
  public static let defaultLearningRate = 0.002
  public static let defaultDropout = 0.2

  public init(
    width: Int = defaultWidth, hidden: Int = defaultHidden, epochs: Double = defaultEpochs, minutes: Double? = nil,
    batch: Int = defaultBatch, learningRate: Double = defaultLearningRate, dropout: Double = defaultDropout,
    seed: UInt64 = 0
  ) {
    self.width = width
    self.hidden = hidden
    self.epochs = epochs
    self.minutes = minutes
    self.batch = batch
    self.learningRate = learningRate
    self.dropout = dropout
    self.seed = seed
  }

  /// - Throws: `PriorError` naming the first impossible value.
  public func validate() throws(PriorError) {
    if let validationError { throw PriorError(validationError) }
  }

  private var validationError: String? {
    if !(epochs > 0 && epochs <= 1e6) { return "epochs must be above 0 and at most 1000000, not \(epochs)" }
    if let minutes, !(minutes > 0 && minutes <= 1e6) { return "minutes must be above 0, not \(minutes)" }
    if !(1...100_000).contains(batch) { return "the batch must be within 1...100000, not \(batch)" }
    if !(learningRate > 0 && learningRate <= 1) {
      return "the learning rate must be above 0 and at most 1, not \(learningRate)"
    }
    if !(0..<1).contains(dropout) { return "dropout must be within 0..<1, not \(dropout)" }
    return nil
  }
}
