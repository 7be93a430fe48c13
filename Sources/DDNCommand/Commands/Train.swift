import ArgumentParser
import DDN
import DDNData
import DDNFigures
import DDNFiles
import DDNTraining
import Foundation
import Torch

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model on images.",
    discussion: """
      Every run gets a numbered folder in --outdir with its options, statistics (stats.jsonl), pictures, the newest \
      model and saved states. Ctrl-C saves and stops, and so do TERM, HUP, USR1, USR2, XCPU and a pipe that is closed; \
      --resume goes on where the run was, to the last bit on the same CPU.

      Examples:
        ddn train --outdir runs --duration 0.2               a first run on digits that are part of ddn
        ddn train --data faces32.zip --xflip                 a zip file or folder of images: see ddn help dataset
        ddn train --data cifar10.zip --cond --batch 64 --batch-gpu 16     a pyramid network that knows classes
        ddn train --outdir runs --data mnist --nodes 8 --levels 3 --batch 512 --duration 10
        ddn train --resume runs/00000-mnist-test
        ddn train --resume runs/00001-faces32 --data /new/place/faces32.zip     after the data were moved
      """)

  @Option(help: "Parent of run folders. (default: runs)")
  var outdir: String?

  @Option(
    help: """
      Zip file, tar archive or folder of images, or what else ddn help dataset lists. Without it: 9,000 digits that are part \\
      of ddn.
      """
  )
  var data: String?

  @Flag(help: "Add every image's mirror image.")
  var xflip = false

  @Option(
    parsing: .unconditional,
    help: "GiB of memory for decoded images; more are read while training. (default: a quarter of the machine's)",
    transform: parseGibibytes)
  var cache: Int?

  @Option(
    help: """
      Continue the run in this folder; its own options hold, only --duration and --cooldown can be changed, and --data says \
      where the same images are now.
      """)
  var resume: String?

  @Option(
    help: """
      Begin with the weights of this model, and its network unless options describe one, which may have other conditions \
      and, recurrent, another number of levels.
      """)
  var transfer: String?

  @Option(parsing: .unconditional, help: "Million images to see in all.", transform: number(isOpen: true))
  var duration: Double?

  @Flag(name: [.customShort("n"), .long], help: "Print the options and stop.")
  var dryRun = false

  @OptionGroup(title: "Network")
  var network: NetworkShape

  @OptionGroup(title: "Learning")
  var learning: LearningOptions

  @OptionGroup(title: "Machine")
  var machine: MachineOptions

  func run() throws {
    let (folder, saved) = try resume.map(openRun) ?? (nil, nil)
    // A dry run keeps no images.
    let cacheBytes = dryRun ? 0 : cache ?? ImageDataset.defaultCacheBytes
    let dataset = try loadImages(saved, cacheBytes: cacheBytes)
    var options = try saved ?? newOptions(for: dataset)
    if resume != nil {
      if let duration { options.images = try images(fromMillions: duration) }
      if let cooldown = learning.cooldown { options.cooldownImages = try images(fromMillions: cooldown) }
      if data != nil { options.dataFolder = dataPath }
    }
    if let objection = options.objection { throw UsageError(objection) }
    if saved == nil { try options.network.check(dataset, path: options.dataFolder ?? dataset.name) }
    try options.identify(dataset)

    let device = try machine.start(threads: options.threads)
    options.threads = LibTorch.threadCount
    options.precision = machine.precision ?? options.precision ?? .float32
    printCost(of: options.network, on: device)
    Terminal.printNotes(dataset.notes)
    if dryRun {
      var progress = ProgressLine(total: dataset.count, unit: "images")
      defer { progress.clear() }
      let start = ContinuousClock.now
      try dataset.checkAll {
        progress.show($0, rate: Double($0) / ((ContinuousClock.now - start) / .seconds(1)), "checking")
      }
      progress.clear()
      Terminal.print(String(decoding: try options.json(), as: UTF8.self))
      let parent = URL(fileURLWithPath: outdir ?? "runs")
      let name = try RunFolder.nextName(in: parent, name: learning.runName(data: options.dataName))
      Terminal.print("would run in \(folder?.url.path ?? parent.appendingPathComponent(name).path) on \(device)")
      return
    }

    let images = try TrainingImages(dataset, xflip: options.xflip ?? false, device: device)
    let runFolder =
      try folder
      ?? RunFolder.create(
        in: URL(fileURLWithPath: outdir ?? "runs"), name: learning.runName(data: options.dataName), options: options)
    let run = try TrainingRun(options, data: images, folder: runFolder, device: device)
    let start = try run.resume()
    Terminal.print("\(runFolder.url.path): \(counted(images.count, "image")), \(options.network.summary), \(device)")
    for error in start.damaged {
      Terminal.printError("note: \(error.path): \(error.problem); put aside, going on from an older state")
    }
    if start.isRestart { Terminal.printError("note: nothing was saved in this folder yet; beginning again") }
    if start.images > 0 { Terminal.print("continuing after \(start.images) of \(options.images) images") }

    let view = try TrainingView(run)
    StopSignal.listen(
      "saving and stopping; Ctrl-C again after 3 seconds stops at once without saving", onClosedPipe: true)
    try run.run(shouldStop: StopSignal.shouldStop, report: view.show)
    Terminal.print("done: \(runFolder.model.path)")
  }

  /// Says so when a CPU is given a network that is made for a GPU, as the original's defaults are.
  private func printCost(of network: NetworkConfiguration, on device: Device) {
    guard device == .cpu, case .pyramid(let configuration) = network else { return }
    let operations = 6 * configuration.levels.reduce(0) { $0 + $1.multiplyAdds }  // a third forward, the rest backward
    guard operations > 20_000_000_000 else { return }
    Terminal.printError(
      "note: an image takes \(formatNumber(Double(operations) / 1e9, digits: 0)) billion operations to train, much for a CPU; "
        + "smaller: --cbase 1024 --cmax 64 --max-blockn 8")
  }

  private func openRun(_ path: String) throws -> (RunFolder?, TrainingOptions?) {
    let given =
      learning.givenNames + network.givenNames + (xflip ? ["--xflip"] : [])
      + (transfer == nil ? [] : ["--transfer"]) + (outdir == nil ? [] : ["--outdir"])
    if let name = given.first {
      throw UsageError("with --resume the run's own options hold; remove \(name), or start a new run")
    }
    let (folder, options) = try RunFolder.open(URL(fileURLWithPath: path))
    return (folder, options)
  }

  private var dataPath: String? { data.map { URL(fileURLWithPath: $0).standardizedFileURL.path } }

  /// The images of a run to continue, or those that the options of a new one name; decoding shows how far it is.
  private func loadImages(_ saved: TrainingOptions?, cacheBytes: Int) throws -> ImageDataset {
    var progress: ProgressLine?
    let start = ContinuousClock.now
    func show(_ done: Int, _ count: Int) {
      progress = progress ?? ProgressLine(total: count, unit: "images")
      progress?.show(done, rate: Double(done) / ((ContinuousClock.now - start) / .seconds(1)), "decoding")
    }
    defer { progress?.clear() }
    if var saved {
      saved.dataFolder = dataPath ?? saved.dataFolder
      do { return try saved.loadImages(cacheBytes: cacheBytes, progress: show) } catch let error as FileError
        where error.kind == .missing && data == nil
      {
        throw FileError(
          .missing, path: error.path, problem: error.problem,
          remedy: "if this run's images were moved, say where they are with --data")
      }
    }
    return try TrainingOptions.loadImages(
      dataPath, resize: learning.resize ?? .bilinear, cacheBytes: cacheBytes, progress: show)
  }

  private func newOptions(for dataset: ImageDataset) throws -> TrainingOptions {
    let source = try transfer.map(openTransferred)
    let isDescribed = source == nil || !network.givenNames.isEmpty
    let configuration = isDescribed ? try network.configuration(for: dataset) : source!.configuration
    if let difference = source.flatMap({ configuration.weightDifference(from: $0.configuration) }) {
      throw UsageError(
        "--transfer \(transfer!): \(difference); leave the network's options out to take its own, or give others")
    }
    var options = try TrainingOptions(
      network: configuration, transferFile: source?.file,
      images: images(fromMillions: duration ?? 0.2), dataFolder: dataPath, resize: learning.resize ?? .bilinear,
      batch: learning.batch ?? 128, learningRate: learning.lr ?? 1e-3,
      cooldownImages: images(fromMillions: learning.cooldown ?? 0), averageHalfLifeImages: (learning.ema ?? 0) * 1e6,
      chainDropout: learning.chainDropout ?? 0.05, chainDropoutScope: learning.chainDropoutPer ?? .batch,
      split: SplitPolicy(rule: learning.split ?? .totalVariation, warmupImages: learning.splitWarmup ?? 0),
      seed: learning.seed ?? 0, tickImages: learning.tick.map { $0 * 1000 } ?? 10_000, saveTicks: learning.snap ?? 5)
    options.xflip = xflip
    options.microBatch = learning.batchGpu
    options.rampImages = try learning.lrRampup.map(images(fromMillions:))
    return options
  }

  /// The model to begin with: its file and its network.
  private func openTransferred(_ name: String) throws -> (file: String, configuration: NetworkConfiguration) {
    var source = NetworkOption()
    source.network = name
    return (source.url.path, try source.load(device: .cpu).configuration)
  }

  private func images(fromMillions millions: Double) throws -> Int {
    let images = (millions * 1e6).rounded()
    guard images >= 0, images < 1e15 else { throw UsageError("\(millions) million images is not a number of images") }
    return Int(images)
  }
}

@Sendable private func parseGibibytes(_ text: String) throws -> Int {
  Int(try number(to: 1e6)(text) * Double(1 << 30))
}

extension TrainingOptions {
  /// What the data are called in the run folder's name.
  fileprivate var dataName: String {
    guard let url = dataFolder.map({ URL(fileURLWithPath: $0) }) else { return "mnist-test" }
    return (url.pathExtension == "zip" ? url.deletingPathExtension() : url).lastPathComponent
  }
}
