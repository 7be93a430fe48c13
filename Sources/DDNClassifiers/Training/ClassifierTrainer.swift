import DDNData
import DDNFiles
import DDNVision
import Foundation
import Torch

/// Trains a `ResidualClassifier`: cross-entropy, Nesterov momentum, and a moving average of the weights.
///
/// The same options and images give the same weights on the same CPU, also when a run is resumed.
public final class ClassifierTrainer {
  private static let lossOperator = Operator("aten::cross_entropy_loss")
  private static let momentum = 0.85
  /// The biases' learning rate in units of the other weights': norms without scales leave them little else to do.
  private static let biasRateFactor = 64.0
  /// Images whose patches the stem whitens.
  private static let whitenedImages = 5_000

  public let options: ClassifierOptions
  public let data: TrainingImages
  /// Images seen so far, repeats included.
  public private(set) var images = 0
  /// Seconds of training so far, of resumed runs in all processes.
  public var elapsedSeconds = 0.0

  private let network: ClassifierNetwork
  private let optimizer: NesterovSGD
  /// Moving averages of the network's state, running statistics included.
  private let average: ExponentialMovingAverage
  private let generator: Generator
  private let augmentation: Augmentation
  private let device: Device
  private var order: BatchOrder
  private var (lossSum, correct, counted): (Tensor?, Tensor?, Int) = (nil, nil, 0)

  /// A trainer before its first image.
  ///
  /// - Parameters:
  ///   - options: valid ones, of the images' shape and classes.
  ///   - data: with classes.
  ///   - device: of the network.
  /// - Throws: `FileError` when an image cannot be read; `TorchError`.
  public init(_ options: ClassifierOptions, data: TrainingImages, device: Device = .cpu) throws {
    do throws(ClassifierError) { try options.validate() } catch { preconditionFailure(error.description) }
    self.options = options
    self.data = data
    self.device = device
    let shuffled = BatchOrder(count: data.count, seed: options.seed)
    order = shuffled
    var whitened = shuffled
    let sample = try data.batch(whitened.next(min(Self.whitenedImages, data.count))).images.to(.cpu)
    network = try ClassifierNetwork(
      options.classifier, whitening: Self.sized(sample, options.classifier.side),
      generator: Generator(seed: options.seed))
    try network.move(to: device)
    optimizer = try NesterovSGD(network, momentum: Self.momentum, weightDecay: options.weightDecay) { name in
      name.lowercased().hasSuffix("bias") && name != "stem.bias" ? Self.biasRateFactor : 1
    }
    average = try ExponentialMovingAverage(network, includesFrozen: true)
    generator = try Generator(seed: options.seed, device: device)
    augmentation = Augmentation(shift: options.shift, mirrors: options.mirrors, blurShare: options.blurShare)
  }

  /// Larger images averaged to a side.
  private static func sized(_ images: Tensor, _ side: Int) throws(TorchError) -> Tensor {
    images.shape[2] == side ? images : try images.resizedArea(height: side, width: side)
  }

  public var isFinished: Bool { images >= options.images }

  /// Starts prefetching images that are not cached.
  public func prefetch() { data.follow(order, batch: options.batch) }

  /// Trains on one batch.
  ///
  /// - Throws: `FileError` when an image cannot be read; `TorchError`.
  public func step() throws {
    let (raw, classes) = try data.batch(order.next(options.batch))
    let inputs = try augmentation(Self.sized(raw, options.classifier.side), generator: generator).inChannelsLast()
    let logits = try withPrecision(options.precision, on: device) { try network(inputs) }.to(.float32)
    let loss = try Self.lossOperator.tensor(
      .tensor(logits), .tensor(classes), .none, .int(1), .int(-100), .double(options.labelSmoothing))
    try loss.backward()
    try optimizer.step(learningRate: options.learningRate(after: images))
    images += options.batch
    try average.update(decay: options.averageDecay(after: images))
    try withoutGradients {
      let isWrong = try (logits.detached() * -1).argmin(1).isUnequal(to: classes).to(.float32).sum()
      lossSum = try lossSum.map { try $0 + loss.detached() } ?? loss.detached()
      correct = try correct.map { try $0 - isWrong } ?? isWrong * -1
      counted += 1
    }
  }

  /// Loss and accuracy on the augmented images since the last call; nil without a step.
  ///
  /// - Throws: `ClassifierError` when the loss is not finite; `TorchError`.
  public func takeStatistics() throws -> (loss: Double, accuracy: Double)? {
    guard let lossSum, let correct else { return nil }
    let loss = try lossSum.item() / Double(counted)
    let accuracy = 1 + (try correct.item()) / Double(counted * options.batch)
    (self.lossSum, self.correct, counted) = (nil, nil, 0)
    guard loss.isFinite else { throw diverged }
    return (loss, accuracy)
  }

  /// - Throws: `ClassifierError` when a weight is not finite.
  func checkWeights() throws {
    for (_, tensor) in network.state() where try !tensor.allFinite() { throw diverged }
  }

  private var diverged: ClassifierError {
    ClassifierError("training diverged after \(images) images; start again with a lower --lr")
  }

  /// The classifier with the averaged weights.
  ///
  /// - Parameters:
  ///   - testData: name of the test data, for its summary; nil if it was not tested.
  ///   - testAccuracy: within 0...1.
  /// - Throws: `TorchError`.
  public func classifier(testData: String? = nil, testAccuracy: Double? = nil) throws -> ResidualClassifier {
    try ResidualClassifier(
      options.classifier, folding: average.state(),
      training: ClassifierSummary(
        data: data.name, images: images, elapsedSeconds: elapsedSeconds, testData: testData,
        testAccuracy: testAccuracy)
    ).moved(to: device)
  }
}

extension ClassifierTrainer {
  private struct Progress: Codable {
    var options: ClassifierOptions
    var images: Int
    var elapsedSeconds: Double
    var order: BatchOrder.State
  }

  private static let format = "ddn-swift classifier training"

  /// All that training changes, by name.
  private func state() throws -> [String: Tensor] {
    var state: [String: Tensor] = ["random": try generator.state().cloned()]
    for (name, tensor) in network.state() { state["network/\(name)"] = tensor }
    for (name, tensor) in average.state() { state["average/\(name)"] = tensor }
    for (name, tensor) in optimizer.state() { state["momentum/\(name)"] = tensor }
    return state
  }

  /// Writes the state of the training atomically.
  ///
  /// - Parameter url: of the `.safetensors` file.
  /// - Throws: `FileError` when it cannot be written; `TorchError`.
  public func save(to url: URL) throws {
    let progress = Progress(
      options: options, images: images, elapsedSeconds: elapsedSeconds, order: order.state)
    try SafetensorsFile.write(
      state(),
      metadata: [
        "format": Self.format, "progress": String(decoding: try JSONEncoder().encode(progress), as: UTF8.self),
      ], to: url)
  }

  /// Continues at a state that `save(to:)` wrote with the same options, but for the length of the run.
  ///
  /// - Parameter url: of the file.
  /// - Throws: `FileError` when it is missing, damaged, or of another training; the trainer is then unchanged.
  public func resume(from url: URL) throws {
    let file = try SafetensorsFile(contentsOf: url)
    func invalid(_ problem: String) -> FileError {
      FileError(.invalid, path: url.path, problem: problem, remedy: "remove it to start again")
    }
    guard file.metadata["format"] == Self.format else { throw invalid("is not the state of a classifier's training") }
    guard
      let progress = file.metadata["progress"].flatMap({
        try? JSONDecoder().decode(Progress.self, from: Data($0.utf8))
      })
    else { throw invalid("its metadata 'progress' is missing or cannot be read") }
    var saved = progress.options
    saved.images = options.images
    guard saved == options, progress.order.seed == order.state.seed else {
      throw invalid("was saved with other options")
    }
    guard progress.order.count == data.count else {
      throw invalid("was trained on \(progress.order.count) images, but the data set has \(data.count)")
    }
    try file.verifyChecksum()
    let state = try state()
    try file.check(fits: state)
    let random = try generator.state()
    do { try generator.setState(file.tensor("random")) } catch {
      try generator.setState(random)
      throw invalid("has an invalid random state")
    }
    try file.load(into: state)
    order = BatchOrder(resuming: progress.order)
    (images, elapsedSeconds) = (progress.images, progress.elapsedSeconds)
  }
}
