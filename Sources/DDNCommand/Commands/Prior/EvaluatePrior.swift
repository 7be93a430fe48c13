import ArgumentParser
import DDN
import DDNClassifiers
import DDNCodes
import DDNData
import DDNEvaluation
import DDNFiles
import DDNTraining
import Foundation
import Torch

struct EvaluatePrior: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Tell the bits of images' codes by level, and how close samples come to the images.",
    discussion: """
      --samples draws so many images with uniform codes and with the prior's, if there is one, and prints their Frechet distance to the \
      images in the features of a classifier, and that of the images' reconstructions, which no prior improves on. It is \
      no FID: it compares with distances of the same classifier, images and number of samples alone.

      Examples:
        ddn prior evaluate --network mnist --data mnist
        ddn prior evaluate --network mnist-k8-l3 --data mnist --samples 5000
      """)

  @OptionGroup var network: NetworkOption

  @OptionGroup(title: "Data") var data: CodeData

  @OptionGroup var prior: PriorOption

  @OptionGroup var temperature: TemperatureOption

  @Option(
    parsing: .unconditional, help: "Images to draw for the Frechet distance. (default: none)",
    transform: wholeNumber(in: 2...10_000_000))
  var samples: Int?

  @Option(help: "Classifier of the Frechet distance. (default: the shipped one that fits the network)")
  var classifier: String?

  func validate() throws {
    guard samples == nil || data.codes == nil else { throw ValidationError("--samples needs images: give --data") }
  }

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    let device = try machine.start()
    let model = try network.load(device: device)
    let learned = try prior.load(for: network, model)
    guard learned != nil || samples != nil else {
      throw UsageError(
        "--network \(network.network) has no prior; train one with ddn prior train, give --prior, or measure uniform codes "
          + "with --samples")
    }
    try temperature.check(learned)
    let images = try data.images(.test)
    let judge = try samples == nil ? nil : loadClassifier(model, device: device)
    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    let codes = try data.table(of: images, by: model, prior: learned, machine: machine, device: device)
    try learned.map { try printBits(of: codes, $0) }
    if let judge, let samples, let images { try measure(samples, images, codes, learned, model, judge, device) }
  }

  private func printBits(of codes: CodeTable, _ prior: IntegerPrior) throws {
    var progress = ProgressLine(total: codes.count, unit: "codes")
    let bits = try prior.bits(of: codes) { done in
      progress.show(done)
      return StopSignal.shouldContinue()
    }
    progress.clear()
    guard StopSignal.shouldContinue() else { throw Interrupted() }
    let table = BitsTable(bits, of: codes.space)
    for line in table.levelLines { Terminal.print(line) }
    Terminal.print("\(counted(codes.count, "image")): \(table.summary)")
  }

  private func loadClassifier(_ model: Model, device: Device) throws -> (name: String, classifier: ResidualClassifier) {
    let shape = model.network.imageShape
    guard let name = classifier ?? ResidualClassifier.shippedName(forImagesOf: shape) else {
      throw UsageError("--samples: no shipped classifier fits images of \(shape); give one with --classifier")
    }
    return (name, try ResidualClassifier(contentsOf: ResidualClassifier.url(of: name), device: device))
  }

  /// Prints the Frechet distances of reconstructions, uniform samples and samples of the prior.
  private func measure(
    _ samples: Int, _ images: ImageDataset, _ codes: CodeTable, _ prior: IntegerPrior?, _ model: Model,
    _ judge: (name: String, classifier: ResidualClassifier), _ device: Device
  ) throws {
    let count = codes.count
    let seeds = (0..<samples).map { UInt64($0) }
    // The classes of the images, in turn.
    let classes = codes.classes.map { classes in seeds.map { classes[Int($0) % count] } }
    let space = model.network.codeSpace
    func entries(_ codes: [LatentCode]) -> [CodeList.Entry] {
      codes.enumerated().map { .init(code: $1, classIndex: classes?[$0]) }
    }
    let source = try TrainingImages(images, device: device)
    let reference = try statistics(count: count, judge) { try source.images(in: $0).images }
    func report(_ name: String, _ entries: [CodeList.Entry]) throws {
      let job = DrawingJob(entries, by: model.network, precision: machine.precision ?? .float32)
      let drawn = try statistics(count: job.count, judge) { try job($0, while: StopSignal.shouldContinue) }
      Terminal.print("\(name): \(formatNumber(try FrechetDistance(reference, drawn).value, digits: 2))")
    }
    Terminal.print(
      "Frechet distance in the features of classifier \(judge.name), \(counted(count, "image")) and "
        + "\(counted(samples, "sample")):")
    try report("reconstructions", codes.entries)
    try report("uniform codes", entries(seeds.map { LatentCode(seed: $0, in: space) }))
    if let prior {
      try report(
        "codes of the prior", entries(prior.codes(seeds: seeds, classes: classes, temperature: temperature.value)))
    }
  }

  private func statistics(
    count: Int, _ judge: (name: String, classifier: ResidualClassifier), _ images: (Range<Int>) throws -> Tensor
  ) throws -> FrechetDistance.Statistics {
    var progress = ProgressLine(total: count, unit: "images")
    defer { progress.clear() }
    var moments = FeatureMoments()
    for first in stride(from: 0, to: count, by: DrawingJob.defaultBatch) {
      guard StopSignal.shouldContinue() else { throw Interrupted() }
      let range = first..<min(first + DrawingJob.defaultBatch, count)
      try moments.add(judge.classifier.features(of: images(range)))
      progress.show(range.upperBound, "drawing")
    }
    return try moments.statistics()
  }
}
