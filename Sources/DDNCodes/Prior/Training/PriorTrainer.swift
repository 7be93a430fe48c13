import DDN
import Foundation
import Torch

/// Trains an `IntegerPrior`: Adam with a cosine schedule, a moving average of the weights, and the average that held-out
/// codes cost least.
///
/// The same options and codes give the same weights on the same CPU, unless a time limit ends the training.
public final class PriorTrainer {
  private static let rampSteps = 100
  private static let averageDecay = 0.999
  /// One code in so many is held out.
  private static let heldOutStep = 20

  public let options: PriorOptions
  public let shape: PriorShape
  /// Codes that are trained on.
  public let codeCount: Int
  /// Codes to see in all, unless a time limit ends the training earlier.
  public let total: Int
  /// Codes seen so far, repeats included.
  public private(set) var codesSeen = 0
  /// The prior that held-out codes cost least, and that cost in bits.
  public private(set) var best: (prior: IntegerPrior, bits: Double)?

  private let space: CodeSpace
  private let modelFingerprint: UInt64
  private let dataName: String
  private let heldOut: CodeTable
  /// `[choices, N]` int64.
  private let choices: Tensor
  /// `[N]` int64.
  private let classes: Tensor
  private let network: PriorNetwork
  private let optimizer: Adam
  private let average: ExponentialMovingAverage
  private let generator: Generator
  private var random: MersenneTwister
  private var order: [Int] = []
  private var steps = 0
  /// Seconds of training so far.
  public private(set) var elapsedSeconds = 0.0
  private var lossSum: Tensor?
  private var lossSteps = 0

  /// - Parameters:
  ///   - options: of the training.
  ///   - codes: complete ones, with classes if the model has classes; one in twenty is held out.
  ///   - classes: of the model; 0 for none.
  ///   - dataName: of the data, for the summary.
  ///   - modelFingerprint: of the model.
  /// - Throws: `PriorError` when options or codes are not valid; `TorchError`.
  public init(
    _ options: PriorOptions, codes: CodeTable, classes: Int, dataName: String, modelFingerprint: UInt64
  ) throws {
    try options.validate()
    shape = PriorShape(space: codes.space, classes: classes, width: options.width, hidden: options.hidden)
    try shape.validate()
    try shape.check(codes)
    guard codes.count >= Self.heldOutStep else {
      throw PriorError("a prior needs at least \(Self.heldOutStep) codes, and there are \(codes.count)")
    }
    let kept = (0..<codes.count).filter { $0 % Self.heldOutStep != Self.heldOutStep - 1 }
    let others = (0..<codes.count).filter { $0 % Self.heldOutStep == Self.heldOutStep - 1 }
    heldOut = try CodeTable(others.map { codes[$0] }, in: codes.space)
    self.options = options
    self.modelFingerprint = modelFingerprint
    self.dataName = dataName
    space = codes.space
    codeCount = kept.count
    total = max(Int(options.epochs * Double(kept.count)), 1)
    let rows = shape.nodes.count
    self.choices = try Tensor(
      (0..<rows).flatMap { row in kept.map { Int(codes.choices[row * codes.count + $0]) } }, shape: [rows, kept.count])
    self.classes = try Tensor(
      kept.map { classes > 0 ? codes.classes![$0] : 0 }, shape: [kept.count])
    generator = try Generator(seed: options.seed)
    random = MersenneTwister(seed: options.seed)
    network = try PriorNetwork(shape, generator: generator)
    optimizer = try Adam(network, learningRate: options.learningRate, betas: (0.9, 0.99))
    average = try ExponentialMovingAverage(network)
  }

  /// The number of weights.
  public var parameterCount: Int { network.parameterCount }
  /// Information in a code if all choices are equally likely.
  public var uniformBits: Double { space.bits }

  /// The finished part of the training, 0 to 1.
  public var share: Double {
    let ofCodes = Double(codesSeen) / Double(total)
    return min(max(ofCodes, options.minutes.map { elapsedSeconds / (60 * $0) } ?? 0), 1)
  }

  public var isFinished: Bool { share >= 1 }

  /// Trains on one batch.
  public func step() throws {
    let start = ContinuousClock.now
    let batch = try Tensor(nextBatch(), shape: [min(options.batch, codeCount)])
    let loss = try network.loss(
      of: choices.gathered(batch, dimension: 1), classes: classes.gathered(batch), dropout: options.dropout,
      generator: generator)
    try loss.backward()
    let ramp = min(Double(steps + 1) / Double(Self.rampSteps), 1)
    optimizer.learningRate = options.learningRate * ramp * (0.5 + 0.5 * cos(.pi * share))
    try optimizer.step()
    try optimizer.clearGradients()
    steps += 1
    codesSeen += batch.count
    try average.update(decay: min(Self.averageDecay, 1 - 1 / (Double(steps) / 3 + 1)))
    let spent = try loss.detached()
    lossSum = try lossSum.map { try $0 + spent } ?? spent
    lossSteps += 1
    elapsedSeconds += (.now - start) / .seconds(1)
  }

  /// Shuffled passes over the codes.
  private func nextBatch() -> [Int] {
    var indices: [Int] = []
    while indices.count < min(options.batch, codeCount) {
      if order.isEmpty {
        order = Array(0..<codeCount)
        for place in stride(from: codeCount - 1, to: 0, by: -1) { order.swapAt(place, random.below(place + 1)) }
      }
      indices.append(order.removeLast())
    }
    return indices
  }

  /// Measures the averaged weights on the held-out codes, and keeps them if they are the best so far.
  ///
  /// - Returns: bits of a training code with dropout since the last call, and of a held-out one; whether it is the best.
  /// - Throws: `PriorError` when the training diverged; `TorchError`.
  public func evaluate() throws -> (trainingBits: Double, heldOutBits: Double, isBest: Bool) {
    let trainingBits = try (lossSum?.item() ?? 0) / Double(max(lossSteps, 1)) / log(2)
    (lossSum, lossSteps) = (nil, 0)
    guard trainingBits.isFinite else {
      throw PriorError("training diverged after \(codesSeen) codes; start again with a lower --lr")
    }
    var summary = PriorSummary(
      data: dataName, codes: codeCount, codesSeen: codesSeen, elapsedSeconds: elapsedSeconds, heldOutBits: nil)
    func rounded() throws -> IntegerPrior {
      try IntegerPrior(
        rounding: average.state(), space: space, shape: shape, modelFingerprint: modelFingerprint, training: summary)
    }
    let bits = try rounded().bits(of: heldOut).reduce(0, +)
    let isBest = bits < best?.bits ?? .infinity
    if isBest {
      summary.heldOutBits = bits
      best = (try rounded(), bits)
    }
    return (trainingBits, bits, isBest)
  }
}
