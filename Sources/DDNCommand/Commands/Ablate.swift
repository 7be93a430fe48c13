import ArgumentParser
import DDN
import DDNAblation
import DDNClassifiers
import DDNData
import DDNTraining
import DDNVision
import Foundation
import Torch

struct Ablate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train with parts of the method left out, and compare.",
    discussion: """
      Trains a row for each change, several seeds each, measures all on the same images, and writes table.md, table.txt, \
      results.json, loss.svg and images.png: random images and reconstructions of all rows. The first row is the training \
      of the options, which are those of ddn train. Every run is a run folder in --out. The same command continues after \
      Ctrl-C, a crash or a power cut; with other --rows or more --seeds it adds what is missing.

      Rows, separated by commas: nodes=K, split (without Split-and-Prune), dropout (without chain dropout), residual \
      (without learned residuals), leak (without leak choice), several at once with +; nodes stands for K of 512, 64, 8 \
      and 2, the last without chain dropout, table2 for all of the paper's Table 2, and figure12 for Split-and-Prune and \
      chain dropout with and without each other. Rows that a network cannot have are left out, with the reason.

      Examples:
        ddn ablate --dry-run                                 rows, runs and an estimate of the time
        ddn ablate --data mnist --out figure12 --rows figure12 --nodes 8 --levels 10 --duration 0.2
        ddn ablate --data cifar10.zip --test cifar10-test.zip --out table2 --max-outputk 512 --max-blockn 8
        ddn ablate --data mnist --arch dense --out dense --rows nodes=8,nodes=2,split --seeds 5
        ddn reconstruct --network figure12/no-split-seed0 --data mnist
      """)

  @OptionGroup var data: TrainingData

  @Option(help: "Folder of the study.")
  var out = "ablation"

  @Option(help: .init("Rows besides the first.", valueName: "row,row"))
  var rows = "table2"

  @Option(
    parsing: .unconditional, help: "Trainings of each row, with --seed and the seeds that follow. (default: 3)",
    transform: wholeNumber(in: 1...1000))
  var seeds = 3

  @Option(
    parsing: .unconditional,
    help:
      "Million images of each training, repeats included. (default: \(plain(Double(TrainingDefaults.images) / 1e6)))",
    transform: number(isOpen: true))
  var duration: Double?

  @Flag(name: [.customShort("n"), .long], help: "Print the rows and an estimate of the time, and stop.")
  var dryRun = false

  @OptionGroup(title: "Measures") var measures: AblationMeasures

  @OptionGroup(title: "Network") var network: NetworkShape

  @OptionGroup(title: "Learning") var learning: LearningOptions

  @OptionGroup(title: "Loss and choice") var objective: ObjectiveFlags

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    if learning.desc != nil { throw ValidationError("--desc is for ddn train; leave it out, and name --out") }
    if network.condition != nil {
      throw ValidationError("--condition: random samples of a study need a network without conditions on images")
    }
  }

  func run() throws {
    let folder = AblationFolder(URL(fileURLWithPath: out))
    let device = try machine.start(threads: folder.setting()?.options.threads)
    let dataset = try loadImages()
    let plan = try self.plan(for: dataset)
    Terminal.printNotes(dataset.notes)
    let (images, detector) = (
      try measures.images(beside: dataset, path: data.path, resize: resize, network: plan.base.network, device: device),
      try measures.loadDetector(for: plan.base.network, device: device)
    )
    let trainingImages = try TrainingImages(dataset, xflip: data.xflip, device: device)
    if dryRun {
      return try AblationForecast(plan: plan, images: images, detector: detector, data: trainingImages, device: device)
        .print()
    }
    _ = try plan.base.loadObjective(on: device)
    let lock = try folder.open(
      for: AblationSetting(
        options: plan.base, count: measures.count, images: images, detector: detector?.identity.description))
    defer { withExtendedLifetime(lock) {} }
    StopSignal.listen(
      "saving and stopping; the same command continues from here; Ctrl-C again after 3 seconds stops at once without saving",
      onClosedPipe: true)
    let meter = try self.meter(images, detector, in: folder)
    let ablation = Ablation(plan, in: folder, data: trainingImages, meter: meter, device: device) {
      try $0.loadObjective(on: device)
    }
    let outputs = AblationOutputs(ablation, images: images, distance: detector?.identity.distanceName)
    describe(plan, ablation, on: device)
    let view = AblationView(ablation, outputs)
    _ = try ablation.run(shouldStop: StopSignal.shouldStop) { try view.show($0) }
    view.clear()
    try outputs.writeNumbers()
    try outputs.drawImages(device: device)
    Terminal.print("\n" + outputs.table.text)
    for name in AblationOutputs.names { Terminal.print(folder.file(name).path) }
  }

  private var resize: DigitDataset.Resize { learning.resize ?? TrainingDefaults.resize }

  private func loadImages() throws -> ImageDataset {
    var progress: ProgressLine?
    defer { progress?.clear() }
    return try TrainingOptions.loadImages(
      data.path, resize: resize,
      cacheBytes: data.cacheBytes
    ) { done, count in
      progress = progress ?? ProgressLine(total: count, unit: "images")
      progress?.show(done, "decoding")
    }
  }

  private func plan(for dataset: ImageDataset) throws -> AblationPlan {
    let new = NewRun(
      network: network, learning: learning, objective: objective, xflip: data.xflip, duration: duration)
    var options = try new.options(
      network.configuration(for: dataset), path: data.path)
    try options.validate()
    try options.network.check(dataset, path: data.path ?? dataset.name)
    try options.identify(dataset)
    options.threads = LibTorch.threadCount
    options.precision = machine.precision ?? .float32
    let first = learning.seed ?? TrainingDefaults.seed
    guard first + UInt64(seeds) - 1 <= UInt64(UInt32.max) else {
      throw UsageError("--seeds \(seeds): the last seed is above \(UInt32.max)")
    }
    do throws(ConfigurationError) {
      return try AblationPlan(
        base: options, changes: AblationPlan.changes(parsing: rows), seeds: (0..<UInt64(seeds)).map { first + $0 })
    } catch { throw UsageError("--rows \(rows): \(error)") }
  }

  private func meter(
    _ images: AblationImages, _ detector: (any FeatureDetector)?, in folder: AblationFolder
  ) throws -> AblationMeter {
    var progress: ProgressLine?
    defer { progress?.clear() }
    return try AblationMeter(
      images: images, detector: detector, precision: machine.precision ?? .float32, folder: folder.url,
      shouldContinue: StopSignal.shouldContinue
    ) { done, count in
      progress = progress ?? ProgressLine(total: count, unit: "images")
      progress?.show(done, "features of the data sets")
    }
  }

  private func describe(_ plan: AblationPlan, _ ablation: Ablation, on device: Device) {
    let open = ablation.openRuns.count
    Terminal.print(
      "\(out): \(counted(plan.rows.count, "row")), \(counted(plan.seeds.count, "seed")), \(plan.base.images) images a run, "
        + "\(plan.base.network.summary), \(device)")
    for omission in plan.omissions { Terminal.print("left out: \(omission.label): \(omission.reason)") }
    if open < plan.runs.count { Terminal.print("\(plan.runs.count - open) of \(plan.runs.count) runs are finished") }
  }
}
