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
        ddn prior train --network runs/00000-mnist --codes train/codes.txt --test-codes test/codes.txt
        ddn prior train --network cifar10 --data cifar10-train.zip --mirror --minutes 10 --out cifar10.prior.safetensors
      """)

  @OptionGroup var network: NetworkOption

  @OptionGroup(title: "Data") var data: CodeData

  @Option(help: "Images for the final test. (default: the test split of MNIST and CIFAR)")
  var testData: String?

  @Option(help: .init("Codes for the final test.", valueName: "codes|file"))
  var testCodes: String?

  func validate() throws {
    guard testData == nil || testCodes == nil else {
      throw ValidationError("--test-data and --test-codes exclude each other; remove one")
    }
    guard !mirror || data.codes == nil && data.count == nil else {
      throw ValidationError("--mirror is for all images of --data")
    }
  }

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
    let images = try data.images(.train)
    let url = try outputURL()
    if dryRun {
      Terminal.print(String(decoding: try JSONEncoder.readable.encode(options), as: UTF8.self))
      Terminal.print(
        "would learn the codes of \(images.map { counted($0.count, "image") } ?? data.path) with "
          + "\(network.url.path) and write \(url.path)")
      return
    }
    try checkOutput(url.path, overwrites: overwrite)
    let tests = try finalTest(for: images)
    let testImages = try tests?.images(.test)
    func oldPrior() throws -> IntegerPrior? { try PriorOption.besidesModel.load(for: network, model) }
    // Files of codes are read before the work; images are encoded after it.
    var testCodes: CodeTable?
    if let tests, tests.codes != nil {
      testCodes = try tests.table(of: nil, by: model, prior: oldPrior(), machine: machine, device: device)
    }
    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    let codes = try data.table(
      of: images, mirrors: mirror, by: model, prior: oldPrior(), machine: machine, device: device)
    let trainer = try PriorTrainer(
      options, codes: codes, classes: model.network.classes, dataName: images?.name ?? data.path,
      modelFingerprint: model.fingerprint())
    try train(trainer, to: url)
    if let tests, let best = trainer.best {
      let codes = try testCodes ?? tests.table(of: testImages, by: model, machine: machine, device: device)
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

  /// The data of the final test; nil without any.
  private func finalTest(for images: ImageDataset?) throws -> CodeData? {
    var tests = data
    (tests.data, tests.codes, tests.count) = (testData, testCodes, nil)
    if testData != nil || testCodes != nil { return tests }
    tests.data = data.data
    // Only MNIST and CIFAR have a split.
    guard let images, try tests.images(.test)?.name != images.name else { return nil }
    return tests
  }

  private func train(_ trainer: PriorTrainer, to url: URL) throws {
    let reports = 20.0
    var progress =
      minutes.map { ProgressLine(total: Int(($0 * 60).rounded(.up)), unit: "s") }
      ?? ProgressLine(total: trainer.total, unit: "codes")
    defer { progress.clear() }
    Terminal.print(
      "\(trainer.codeCount) codes of \(formatNumber(trainer.uniformBits, digits: 1)) bits, \(trainer.parameterCount) weights"
    )
    var reported = 0.0
    while !trainer.isFinished {
      try trainer.step()
      progress.show(minutes == nil ? trainer.codesSeen : Int(trainer.elapsedSeconds), "training")
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
