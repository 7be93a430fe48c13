import DDN
import DDNData
import DDNEvaluation
import DDNTraining
import DDNVision
import Torch

/// How long the runs of an ablation study take, from times measured so far.
public struct AblationPace: Sendable {
  /// Of training, by row.
  private var secondsPerImage: [String: Double] = [:]
  /// Of measuring a run, by row.
  private var secondsOfMeasuring: [String: Double] = [:]

  public init() {}

  /// Learns from a finished run.
  public mutating func add(_ result: AblationResult, secondsOfMeasuring seconds: Double? = nil) {
    if result.trainingSeconds > 0 { setTraining(result.row, result.trainingSeconds / Double(result.images)) }
    if let seconds { secondsOfMeasuring[result.row] = seconds }
  }

  /// - Parameters:
  ///   - row: its name.
  ///   - seconds: of training, per image.
  public mutating func setTraining(_ row: String, _ seconds: Double) { secondsPerImage[row] = seconds }

  /// - Parameters:
  ///   - row: its name.
  ///   - seconds: of measuring a run.
  public mutating func setMeasuring(_ row: String, _ seconds: Double) { secondsOfMeasuring[row] = seconds }

  /// Of training, per image; of other rows' mean where a row was not timed, nil when none was.
  public func secondsPerImage(_ row: String) -> Double? { secondsPerImage[row] ?? Self.mean(secondsPerImage) }

  /// Seconds that runs will take; nil when no row was timed.
  ///
  /// - Parameters:
  ///   - runs: not finished.
  ///   - done: images of the first run so far.
  public func seconds(of runs: [AblationRun], done: Int = 0) -> Double? {
    guard !runs.isEmpty else { return 0 }
    var sum = 0.0
    for (place, run) in runs.enumerated() {
      guard let pace = secondsPerImage(run.row.name) else { return nil }
      sum += pace * Double(max(run.options.images - (place == 0 ? done : 0), 0))
      sum += secondsOfMeasuring[run.row.name] ?? Self.mean(secondsOfMeasuring) ?? 0
    }
    return sum
  }

  private static func mean(_ seconds: [String: Double]) -> Double? {
    seconds.isEmpty ? nil : seconds.values.reduce(0, +) / Double(seconds.count)
  }
}

extension AblationPace {
  /// Of timed steps of a row, besides the first step.
  private static let timedSeconds = 1.0

  /// Times a few training steps of a row, and drawing and measuring a few images.
  ///
  /// Choices are random in the timed steps: a fresh network chooses few nodes, and images of the same choices share their
  /// work.
  ///
  /// - Parameters:
  ///   - row: its training.
  ///   - data: training images.
  ///   - images: that runs are to be measured on.
  ///   - detector: of Frechet distances; nil for none.
  ///   - device: of the network.
  ///   - objective: of the row.
  /// - Returns: the network's parameter count.
  /// - Throws: what the training throws.
  public mutating func time(
    _ row: AblationRow, data: TrainingImages, images: AblationImages, detector: (any FeatureDetector)?,
    device: Device, objective: (any Objective)? = nil
  ) throws -> Int {
    var options = row.options
    options.chainDropout = 1
    options.chainDropoutScope = .sample
    let trainer = try Trainer(options, data: data, device: device, objective: objective)
    try trainer.step()
    let start = ContinuousClock.now
    var steps: [Double] = []
    while steps.isEmpty || ContinuousClock.now - start < .seconds(Self.timedSeconds) {
      let before = ContinuousClock.now
      try trainer.step()
      steps.append((ContinuousClock.now - before) / .seconds(1))
    }
    // The median, because other work on the machine delays some steps.
    let training = steps.sorted()[steps.count / 2] / Double(options.batch)
    setTraining(row.name, training)

    let network = trainer.network
    network.setMode(.evaluation)
    let codes = (0..<UInt64(64)).map { LatentCode(seed: $0, in: network.codeSpace) }
    let classes = network.classes > 0 ? codes.indices.map { $0 % network.classes } : nil
    var drawing = 0.0
    if let detector {
      for _ in 0..<2 {  // The first time, operators prepare themselves.
        let start = ContinuousClock.now
        try withoutGradients {
          _ = try detector.features(of: network.decode(codes, classes: classes).eightBit()).array(Double.self)
        }
        drawing = (ContinuousClock.now - start) / .seconds(1) / Double(codes.count)
      }
    }
    // Encoding an image takes about as long as its forward pass in training, a third of a step.
    let encoded = Double(images.training.count + (images.test?.count ?? 0))
    setMeasuring(row.name, drawing * Double(images.samples) + encoded * (drawing + training / 3))
    return network.parameterCount
  }
}
