import ArgumentParser
import DDN
import DDNClassifiers
import DDNCodes
import DDNData
import DDNEvaluation
import DDNFiles
import DDNTraining
import DDNVision
import Foundation
import Torch

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how close generated images are to a data set.",
    discussion: """
      Prints the Frechet distance (FID with Inception's weights, otherwise named by its network), the kernel distance KID, \
      precision and recall. Measures images of --images, or those that --network draws of --seeds, in memory; with \
      --reconstructions those by which the network approximates the reference, whose Frechet distance is then called rFID. \
      A reference of statistics allows Frechet distances alone.

      Examples:
        ddn evaluate                                         the shipped model and test digits
        ddn evaluate --network cifar10 --seeds 0-9999 --ref cifar10-test.zip
        ddn evaluate --network cifar10 --seeds 0-49999 --runs 3 --ref cifar10.npz --detector inception.safetensors
        ddn evaluate --network mnist --reconstructions --ref mnist
        ddn evaluate --images generated/images --detector digits --ref mnist --json distances.json
        ddn evaluate --network cifar10 --ref cifar10-test.zip --per-class
      """)

  @Option(help: "Images to measure instead of a model's, in a format of ddn help dataset.", completion: .file())
  var images: String?

  @OptionGroup var network: NetworkOption

  @Option(
    help: "Seeds of the images to draw, such as 0-9999. (default: 0-\(defaultCount - 1))",
    transform: SeedList.init(parsing:))
  var seeds: SeedList?

  @Flag(help: "Measure the network's approximations of the reference's images.")
  var reconstructions = false

  @OptionGroup var prior: PriorOption

  @OptionGroup var temperature: TemperatureOption

  @Option(
    name: .customLong("class"), parsing: .unconditional,
    help: "Class of all images, for a class-conditional model. (default: by seed)", transform: wholeNumber(atLeast: 0))
  var classIndex: Int?

  @Option(
    help: "The reference: images, or statistics of ddn fid ref. (default: 1000 shipped test digits)",
    completion: .file())
  var ref: String?

  @Option(help: "Which half of MNIST and CIFAR, where they are the reference.")
  var split: DatasetSplit = .test

  @Option(
    help: .init(
      "\(DetectorOption.kinds). (default: the shipped one for images of the network's shape)", valueName: "name|file"),
    completion: .file())
  var detector: String?

  @Option(
    help: .init("Of frechet, kid and precision, which gives recall, too. (default: all)", valueName: "names"),
    transform: parseMeasures)
  var measures = Set(EvaluationMeasure.allCases)

  @Option(
    parsing: .unconditional, help: "Number of images of --images to measure. (default: all)",
    transform: wholeNumber(in: 2...10_000_000))
  var num: Int?

  @Option(
    parsing: .unconditional, help: "Seed of the images picked and of KID's subsets. (default: 0)",
    transform: seedNumber)
  var seed: UInt64 = 0

  @Option(
    parsing: .unconditional,
    help:
      "Draw as many images several times, each with the seeds that follow, and print the least distance. (default: 1)",
    transform: wholeNumber(in: 1...100))
  var runs = 1

  @Flag(help: "Measure every class, too.")
  var perClass = false

  @Option(help: "Write the measures to this file as JSON.", completion: .file())
  var json: String?

  @Flag(help: "Overwrite the file of --json.")
  var overwrite = false

  @OptionGroup var features: FeatureOptions

  @OptionGroup(title: "Machine") var machine: MachineOptions

  private static let defaultCount = 10_000

  func validate() throws {
    let draws = seeds != nil || classIndex != nil || runs > 1 || prior.prior != nil || temperature.temperature != nil
    guard images == nil || !reconstructions else { throw ValidationError("give --images or --reconstructions") }
    guard images == nil && !reconstructions || !draws else {
      throw ValidationError("--seeds, --class, --runs, --prior and --temperature are for images that are drawn")
    }
    guard num == nil || images != nil else { throw ValidationError("--num is for --images") }
  }

  func run() throws {
    let (shared, device) = try machine.startShared()
    _ = try shared.first {
      if let json { try checkOutput(json, overwrites: overwrite) }
      return true
    }
    let model = try images == nil ? network.load(device: device) : nil
    let judge = try loadDetector(model, device)
    let sources = try self.sources(model, device)
    if perClass, let source = sources.first(where: { $0.labels == nil }) {
      throw UsageError("--per-class: the images of \(source.name) have no classes")
    }
    StopSignal.listen("stopping; the same command resumes from here; Ctrl-C again after 3 seconds stops at once")
    let cache = features.cache(of: shared)
    let reports = try withPrecision(machine.precision ?? .float32, on: device) {
      let reference = try reference(judge, cache)
      if let reference, reference.features == nil, measures != Set(EvaluationMeasure.allCases), measures != [.frechet] {
        throw UsageError(
          "--measures: statistics, as \(reference.name) has them, allow frechet alone; give images with --ref")
      }
      return try sources.compactMap { source -> DistanceReport? in
        let found = try cache.features(of: source, by: judge, images == nil ? "drawing" : "features")
        guard let found, let reference else { return nil }
        let report = try DistanceReport(
          found, reference, detector: judge.identity, measures: measures, byClass: perClass, seed: seed,
          shouldContinue: StopSignal.shouldContinue)
        for line in report.lines { Terminal.print((reconstructions ? "reconstructions: " : "") + line) }
        return report
      }
    }
    try shared.finish()
    guard shared.isMain else { return }
    if reports.count > 1 {
      Terminal.print("least of \(reports.count) runs: \(String(format: "%.6g", reports.map(\.frechet).min()!))")
    }
    guard let json else { return }
    try AtomicFile.write(DistanceReport.json(reports), to: URL(fileURLWithPath: json))
    Terminal.print(json)
  }

  private func loadDetector(_ model: Model?, _ device: Device) throws -> any FeatureDetector {
    if let detector { return try openDetector(detector, device: device) }
    guard let shape = model?.network.imageShape else {
      throw UsageError("--images needs --detector: Inception's weights, or a classifier such as digits")
    }
    guard let name = ResidualClassifier.shippedName(forImagesOf: shape) else {
      throw UsageError("no shipped classifier is for images of \(shape[1]) x \(shape[2]); give --detector")
    }
    return try openDetector(name, device: device)
  }

  private func reference(_ judge: any FeatureDetector, _ cache: FeatureCache) throws -> EvaluationReference? {
    if let ref { return try cache.reference(ref, judge, split: split) }
    return try cache.features(of: DatasetImages(shippedDigits()), by: judge, "reference")
      .map { try EvaluationReference($0) }
  }

  private func shippedDigits() throws -> ImageDataset {
    ImageDataset(try TrainingOptions.shippedDigits(resize: TrainingDefaults.resize).unseen)
  }

  /// The images to measure, a source for each run.
  private func sources(_ model: Model?, _ device: Device) throws -> [any FeatureSource] {
    guard let model else {
      return [try FileImages(URL(fileURLWithPath: images!), number: num, seed: seed, split: split)]
    }
    guard model.network.conditions.allSatisfy({ !$0.needsImages }) else {
      throw UsageError(
        "this model is conditioned on images; generate images with ddn generate and give them with --images")
    }
    let precision = machine.precision ?? .float32
    let fingerprint = try model.fingerprint()
    guard !reconstructions else {
      let dataset: ImageDataset
      var identity = "digits"
      if let ref {
        let url = URL(fileURLWithPath: ref)
        dataset = try ImageDataset(openImages(url, split: split), cacheBytes: 0)
        identity = "files \(try ListingFingerprint(url).checksum) \(split)"
      } else {
        dataset = try shippedDigits()
      }
      try model.configuration.check(dataset, path: ref ?? dataset.name, as: .reconstructing)
      let job = EncodingJob(
        try TrainingImages(dataset, device: device), by: model.network, precision: precision, batchSize: features.batch)
      return [
        ReconstructedSource(
          job, labels: dataset.labels, images: identity, model: fingerprint, name: "reconstructions of \(dataset.name)")
      ]
    }
    try model.check(classIndex: classIndex)
    let prior = try prior.load(for: network, model)
    return try seedsOfRuns().map { seeds in
      let codes = try CodeList(
        seeds: seeds, of: model.network, prior: prior, temperature: temperature, classIndex: classIndex)
      let job = DrawingJob(codes.entries, by: model.network, precision: precision, batchSize: features.batch)
      return DrawnSource(job, model: fingerprint, name: "\(network.network), seeds \(seeds.first!)...\(seeds.last!)")
    }
  }

  /// Every run has the seeds that follow those before.
  private func seedsOfRuns() throws -> [[UInt64]] {
    var distinct: Set<UInt64> = []
    let seeds = (self.seeds?.seeds ?? Array(0..<UInt64(Self.defaultCount))).filter { distinct.insert($0).inserted }
    let span = seeds.max()! - seeds.min()! + 1
    guard seeds.count >= 2 else { throw UsageError("--seeds: a distance needs at least two images") }
    guard seeds.max()! + span * UInt64(runs - 1) <= UInt64(UInt32.max) else {
      throw UsageError("--runs \(runs): the seeds of the last run are above \(UInt32.max)")
    }
    return (0..<runs).map { run in seeds.map { $0 + span * UInt64(run) } }
  }
}

@Sendable private func parseMeasures(_ text: String) throws -> Set<EvaluationMeasure> {
  let names = text.split(separator: ",", omittingEmptySubsequences: false).map {
    $0.trimmingCharacters(in: .whitespaces)
  }
  return try Set(
    names.map { name in
      guard let measure = EvaluationMeasure(rawValue: name) else {
        throw ValidationError("'\(name)' is not frechet, kid or precision")
      }
      return measure
    })
}
