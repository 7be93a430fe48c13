import ArgumentParser
import DDNClassifiers
import DDNData
import DDNFiles
import DDNTraining
import Foundation
import Torch

private typealias Defaults = ClassifierOptions

struct TrainClassifier: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a classifier on images with classes.",
    discussion: """
      Writes classifier.safetensors and the state to resume from into --outdir every two minutes. Ctrl-C saves and \
      stops; the same command continues, bit-identical on the same CPU. Only --epochs may change. At the end the test \
      images are read: those of --test-data, or the test split of MNIST and CIFAR.

      Examples:
        ddn classifier train --outdir digits
        ddn classifier train --data mnist --blur 0.3 --outdir digits
        ddn classifier train --data cifar10.tar.gz --epochs 16 --outdir cifar10
        ddn classifier train --data faces.zip --test-data test.zip --mirror --outdir faces
      """)

  @Option(help: "Images with classes, in a format of ddn help dataset. (default: 9,000 shipped digits)")
  var data: String?

  @Option(help: "Images for the final test. (default: the test split of MNIST and CIFAR)")
  var testData: String?

  @Option(
    help: .init("Names of the classes from 0 on, separated by commas. (default: the images')", valueName: "name,name"))
  var names: String?

  @Option(help: "Folder for classifier.safetensors and the state of the training.")
  var outdir: String

  @Flag(help: "Overwrite the folder's outputs of other options; other files stay.")
  var overwrite = false

  @Flag(name: [.customShort("n"), .long], help: "Print the options and stop.")
  var dryRun = false

  @Option(
    parsing: .unconditional, help: "Passes over the images. (default: \(plain(Defaults.defaultEpochs)))",
    transform: number(to: 1e6, isOpen: true))
  var epochs = Defaults.defaultEpochs

  @Option(
    parsing: .unconditional,
    help: """
      Channels of the first blocks, a quarter of those of the last; even. (default: \
      \(Defaults.width(ofChannels: 1)) for gray images, \(Defaults.width(ofChannels: 3)) for RGB)
      """,
    transform: wholeNumber(in: 2...1024))
  var width: Int?

  @Option(
    parsing: .unconditional,
    help: "Side in pixels of the images that the network reads, a power of two. (default: the images')",
    transform: wholeNumber(in: 4...1024))
  var side: Int?

  @Option(
    parsing: .unconditional, help: "Images per step. (default: \(Defaults.defaultBatch))",
    transform: wholeNumber(in: 2...100_000))
  var batch = Defaults.defaultBatch

  @Option(
    parsing: .unconditional,
    help: """
      Peak of the learning rate. (default: \(Defaults.learningRate(ofBatch: Defaults.defaultBatch)) of \
      \(Defaults.defaultBatch) images, in proportion to the batch)
      """,
    transform: number(isOpen: true))
  var lr: Double?

  @Option(parsing: .unconditional, help: "Weight decay. (default: \(Defaults.defaultWeightDecay))", transform: number())
  var weightDecay = Defaults.defaultWeightDecay

  @Option(
    parsing: .unconditional, help: "Label smoothing. (default: \(Defaults.defaultLabelSmoothing))",
    transform: number(to: 0.99))
  var labelSmoothing = Defaults.defaultLabelSmoothing

  @Flag(inversion: .prefixedNo, help: "Mirror images at random. (default: RGB images)")
  var mirror: Bool?

  @Option(
    parsing: .unconditional,
    help: "Shift images at random by up to this many pixels. (default: \(Defaults.defaultShift))",
    transform: wholeNumber(in: 0...1023))
  var shift = Defaults.defaultShift

  @Option(
    parsing: .unconditional,
    help: "Fraction of images that lose detail at random; for guides, which read a network's coarse levels, 0.3.",
    transform: number(to: 1))
  var blur = 0.0

  @Option(
    help: .init(
      """
      Train on this network's reconstructions, too: at \(LevelImages.perImage) random levels of the first \
      \(LevelImages.mostEncoded) images. For guiding it: the classifier learns which classes a coarse image leads to.
      """, valueName: "name|file|folder"))
  var network: String?

  @Option(parsing: .unconditional, help: "Seed of weights, order and random changes.", transform: seedNumber)
  var seed: UInt64 = 0

  @Option(help: "Resizing of 28x28 digits to 32x32: bilinear or padded. (default: \(TrainingDefaults.resize.rawValue))")
  var resize: DigitDataset.Resize?

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    let device = try machine.start()
    let images = try load(data, split: .train)
    Terminal.printNotes(images.images.notes)
    let options = try options(for: images)
    if dryRun {
      Terminal.print(String(decoding: try JSONEncoder.readable.encode(options), as: UTF8.self))
      Terminal.print("would train on \(counted(images.images.count, "image")) in \(outdir) on \(device)")
      return
    }
    let tests = try loadTests(images)
    let folder = try OutputFolder(
      URL(fileURLWithPath: outdir), for: try identity(options, images.images),
      files: [ClassifierRun.classifierName, ClassifierRun.stateName], overwrites: overwrite)
    let dataset = try network == nil ? images.images : addLevels(to: images.images, device: device)
    let trainer = try ClassifierTrainer(options, data: TrainingImages(dataset, device: device), device: device)
    let run = try ClassifierRun(trainer, in: folder.url)
    Terminal.print(
      "\(outdir): \(counted(dataset.count, "image")), \(options.classifier.classes) classes, "
        + "\(try trainer.classifier().parameterCount) parameters, \(device)")
    if trainer.images > 0 { Terminal.print("continuing after \(trainer.images) of \(options.images) images") }
    StopSignal.listen(
      "saving and stopping; Ctrl-C again after 3 seconds stops at once without saving", onClosedPipe: true)
    try train(run)
    try test(run, on: tests, device: device)
    Terminal.print("done: \(folder.file(ClassifierRun.classifierName).path)")
  }

  private func options(for data: ClassifiedImages) throws -> ClassifierOptions {
    let images = data.images
    let names = names?.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let configuration = ClassifierConfiguration(
      channels: images.channels, side: side ?? images.side, classes: images.classes,
      classNames: names ?? data.classNames,
      width: width ?? Defaults.width(ofChannels: images.channels))
    guard configuration.side <= images.side else {
      throw UsageError("--side \(configuration.side) is above the images' side, \(images.side) pixels")
    }
    let count = images.count + (network == nil ? 0 : LevelImages.count(of: images.count))
    let options = ClassifierOptions(
      classifier: configuration, images: max(Int((epochs * Double(count)).rounded()), 1), batch: batch,
      learningRate: lr, weightDecay: weightDecay, labelSmoothing: labelSmoothing, mirrors: mirror, shift: shift,
      blurShare: blur, seed: seed, precision: machine.precision ?? .float32)
    do { try options.validate() } catch { throw UsageError("\(data.images.name): \(error)") }
    return options
  }

  private var networkOption: NetworkOption? {
    network.map { name in
      var option = NetworkOption()
      option.network = name
      return option
    }
  }

  private func addLevels(to images: ImageDataset, device: Device) throws -> ImageDataset {
    let model = try networkOption!.load(device: device)
    try model.configuration.check(images, path: data ?? images.name, as: .reconstructing)
    var progress = ProgressLine(total: min(images.count, LevelImages.mostEncoded), unit: "images")
    defer { progress.clear() }
    return try LevelImages.adding(to: images, by: model.network, seed: seed) { done in
      progress.show(done, "encoding")
    }
  }

  private func load(_ path: String?, split: DatasetSplit) throws -> ClassifiedImages {
    var progress: ProgressLine?
    defer { progress?.clear() }
    // A dry run caches no images.
    return try ClassifiedImages(
      path, split: split, resize: resize ?? TrainingDefaults.resize,
      cacheBytes: dryRun ? 0 : ImageDataset.defaultCacheBytes
    ) { done, count in
      progress = progress ?? ProgressLine(total: count, unit: "images")
      progress?.show(done, "decoding")
    }
  }

  /// The images of the final test; nil without any.
  private func loadTests(_ images: ClassifiedImages) throws -> ImageDataset? {
    if let testData { return try load(testData, split: .test).images }
    let tests = try load(data, split: .test).images
    return tests.name == images.images.name ? nil : tests
  }

  /// Identifies the training by all but its length, which may change.
  private func identity(_ options: ClassifierOptions, _ images: ImageDataset) throws -> OutputFolder.Job {
    var options = options
    options.images = 0
    let encoder = JSONEncoder.oneLine
    func text(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
    return .init(
      command: "classifier train",
      options: [
        "options": try text(options), "images": try text(try DatasetFingerprint(images)),
        "network": networkOption?.identity ?? "",
      ])
  }

  private func train(_ run: ClassifierRun) throws {
    let (trainer, start) = (run.trainer, run.trainer.images)
    let began = ContinuousClock.now
    var progress = ProgressLine(total: trainer.options.images, unit: "images")
    var last = ""
    let isFinished = try run.run(shouldStop: StopSignal.shouldStop) { event in
      switch event {
      case .progress(let images):
        progress.show(images, rate: Double(images - start) / max((.now - began) / .seconds(1), 1e-9), last)
      case .epoch(let images, let loss, let accuracy, let rate):
        progress.clear()
        last = "loss \(formatNumber(loss))"
        Terminal.print(
          "\(images) images  \(last)  training accuracy \(formatNumber(accuracy * 100, digits: 2)) %  "
            + "\(formatRate(rate))/s  \(formatDuration(Double(max(trainer.options.images - images, 0)) / rate)) left")
      case .writeFailed(let error):
        progress.clear()
        Terminal.printError("note: \(error); training continues and retries later")
      }
    }
    progress.clear()
    guard isFinished else {
      throw ClassifierStopped(images: trainer.images)
    }
  }

  /// Tests the trained classifier, and adds the accuracy to its file.
  private func test(_ run: ClassifierRun, on tests: ImageDataset?, device: Device) throws {
    guard let tests else { return }
    let matrix = try readClasses(of: tests, by: run.trainer.classifier(), device: device)
    try run.addTest(data: tests.name, accuracy: matrix.accuracy)
    Terminal.print(
      "\(tests.name): \(matrix.correct) of \(matrix.count) are read right, \(formatNumber(matrix.accuracy * 100, digits: 2)) %"
    )
  }
}

/// The user stopped a classifier's training; everything is saved.
struct ClassifierStopped: Error, CustomStringConvertible {
  let images: Int

  var description: String { "interrupted after \(images) images; everything is saved, the same command continues" }
}
