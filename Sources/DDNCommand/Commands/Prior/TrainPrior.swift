import ArgumentParser
import DDN
import DDNCodes
import DDNData
import DDNFiles
import DDNModels
import DDNTraining
import Foundation
import Torch

private typealias Defaults = PriorOptions

struct TrainPrior: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a prior on the codes of images.",
    discussion: """
      Encodes the images, trains, and writes the prior that held-out codes, one in twenty, cost least. Prints the bits of \
      a training code with dropout and of a held-out one. Ctrl-C stops; the best prior so far stays. With --test-data \
      the bits of test images by level are printed at the end.

      Examples:
        ddn prior train --network runs/00000-mnist --data mnist
        ddn prior train --network cifar10 --data cifar10-train.zip --mirror --minutes 10 --out cifar10.prior.safetensors
      """)

  @OptionGroup var network: NetworkOption

  @Option(help: "Images to encode, in a format of ddn help dataset; the training split of MNIST and CIFAR.")
  var data: String

  @Option(help: "Images for the final test. (default: the test split of MNIST and CIFAR)")
  var testData: String?

  @Option(help: "Resizing of 28x28 digits to 32x32: bilinear or padded. (default: \(TrainingDefaults.resize.rawValue))")
  var resize: DigitDataset.Resize?

  @Option(
    parsing: .unconditional, help: "Number of images, from the first. (default: all)",
    transform: wholeNumber(atLeast: 1))
  var count: Int?

  @Flag(help: "Encode mirror images, too.")
  var mirror = false

  @Option(help: "File of the prior. (default: beside the model)")
  var out: String?

  @Flag(help: "Overwrite the file.")
  var overwrite = false

  @Option(
    parsing: .unconditional, help: "Passes over the codes. (default: \(plain(Defaults.defaultEpochs)))",
    transform: number(to: 1e6, isOpen: true))
  var epochs = Defaults.defaultEpochs

  @Option(
    parsing: .unconditional, help: "Train at most so long, without the time to encode. (default: no limit)",
    transform: number(to: 1e6, isOpen: true))
  var minutes: Double?

  @Option(
    parsing: .unconditional, help: "Units that sum the embeddings of choices. (default: \(Defaults.defaultWidth))",
    transform: wholeNumber(in: 1...1000))
  var width = Defaults.defaultWidth

  @Option(
    parsing: .unconditional, help: "Units of the hidden layer. (default: \(Defaults.defaultHidden))",
    transform: wholeNumber(in: 1...1000))
  var hidden = Defaults.defaultHidden

  @Option(
    parsing: .unconditional, help: "Codes per step. (default: \(Defaults.defaultBatch))",
    transform: wholeNumber(in: 1...100_000))
  var batch = Defaults.defaultBatch

  @Option(
    parsing: .unconditional, help: "Peak of the learning rate. (default: \(Defaults.defaultLearningRate))",
    transform: number(to: 1, isOpen: true))
  var lr = Defaults.defaultLearningRate

  @Option(
    parsing: .unconditional,
    help: "Probability that a unit is left out; more for few codes. (default: \(Defaults.defaultDropout))",
    transform: number(to: 0.95))
  var dropout = Defaults.defaultDropout

  @Option(parsing: .unconditional, help: "Seed of weights, order and dropout.", transform: seedNumber)
  var seed: UInt64 = 0

  @Flag(name: [.customShort("n"), .long], help: "Print the options and stop.")
  var dryRun = false

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    let device = try machine.start()
    let model = try network.load(device: device)
    let images = try EncodedImages.open(data, split: .train, resize: resize)
    let url = try outputURL()
    if dryRun {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      Terminal.print(String(decoding: try encoder.encode(options), as: UTF8.self))
      Terminal.print("would encode \(counted(images.count, "image")) with \(network.url.path) and write \(url.path)")
      return
    }
    try refuseExisting(url.path, overwrites: overwrite)
    let tests = try testImages(images)
    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    let encoded = try EncodedImages(
      images, path: data, count: count, mirrors: mirror, by: model, machine: machine, device: device)
    let trainer = try PriorTrainer(
      options, codes: encoded.codes, classes: model.network.classes, dataName: images.name,
      modelFingerprint: model.fingerprint())
    try train(trainer, to: url)
    if let tests, let best = trainer.best {
      let codes = try EncodedImages(tests, path: testData ?? tests.name, by: model, machine: machine, device: device)
        .codes
      let table = BitsTable(try best.prior.bits(of: codes), of: codes.space)
      for line in table.levelLines { Terminal.print(line) }
      Terminal.print("\(counted(codes.count, "test image")): \(table.summary)")
    }
    Terminal.print("done: \(url.path)")
  }

  private var options: PriorOptions {
    PriorOptions(
      width: width, hidden: hidden, epochs: epochs, minutes: minutes, batch: batch, learningRate: lr, dropout: dropout,
      seed: seed)
  }

  /// - Throws: `UsageError` when a shipped model's prior has no name.
  private func outputURL() throws -> URL {
    if let out { return URL(fileURLWithPath: out) }
    guard network.url != Model.shippedURL(network.network) else {
      throw UsageError("--network \(network.network) is part of this program; name the prior's file with --out")
    }
    return IntegerPrior.url(besides: network.url)
  }

  /// The images of the final test; nil without any.
  private func testImages(_ images: ImageDataset) throws -> ImageDataset? {
    if let testData { return try EncodedImages.open(testData, split: .test, resize: resize) }
    let tests = try EncodedImages.open(data, split: .test, resize: resize)
    return tests.name == images.name ? nil : tests
  }

  private func train(_ trainer: PriorTrainer, to url: URL) throws {
    let reports = 20.0
    var progress = ProgressLine(total: 1000, unit: "‰")
    defer { progress.clear() }
    Terminal.print(
      "\(trainer.codeCount) codes of \(formatNumber(trainer.uniformBits, digits: 1)) bits, \(trainer.parameterCount) weights"
    )
    var reported = 0.0
    while !trainer.isFinished {
      try trainer.step()
      progress.show(Int(trainer.share * 1000), "training")
      let isStopped = StopSignal.shouldStop()
      guard isStopped || trainer.isFinished || (trainer.share * reports).rounded(.down) > reported else { continue }
      reported = (trainer.share * reports).rounded(.down)
      let report = try trainer.evaluate()
      progress.clear()
      let left = trainer.elapsedSeconds * (1 / max(trainer.share, 1e-9) - 1)
      Terminal.print(
        "\(trainer.codesSeen) codes  training \(formatNumber(report.trainingBits, digits: 2))  "
          + "held out \(formatNumber(report.heldOutBits, digits: 2)) bits  \(formatDuration(left)) left")
      if report.isBest { try trainer.best!.prior.write(to: url) }
      if isStopped { throw PriorStopped(path: url.path) }
    }
  }
}

/// The user stopped a prior's training; the best one is saved.
struct PriorStopped: Error, CustomStringConvertible {
  let path: String

  var description: String { "interrupted; the best prior so far is \(path)" }
}
