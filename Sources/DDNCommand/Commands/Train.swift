import ArgumentParser
import DDN
import DDNData
import DDNFigures
import DDNFiles
import DDNTraining
import Foundation
import Torch

private typealias Defaults = TrainingDefaults

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model on images.",
    discussion: """
      Every run gets a numbered folder in --outdir with its options, statistics (stats.jsonl, and event files for \
      tensorboard --logdir), image grids, the newest model and saved states. Ctrl-C saves and stops, as do TERM, HUP, USR1, USR2, XCPU and a closed pipe; --resume \
      continues, bit-identical on the same CPU.

      Examples:
        ddn train --outdir runs --duration 0.2               a first run on the shipped digits
        ddn train --data faces32.zip --xflip                 a zip file or folder of images: see ddn help dataset
        ddn train --data cifar10.zip --cond --batch 64 --batch-gpu 16     a class-conditional pyramid
        ddn train --outdir runs --data mnist --nodes 8 --levels 3 --batch 512 --duration 10
        ddn train --arch dense --data mnist --duration 0.3     no convolutions; minutes
        ddn train --data mnist --preset original               the original program's network and training; days
        ddn train --resume runs/00000-mnist-test
        ddn train --resume runs/00001-faces32 --data /new/place/faces32.zip     after the data were moved
        torchrun --nproc_per_node=8 --no-python ddn train --data faces32.zip    one training on 8 processes
      """)

  @Option(help: "Parent of run folders. (default: runs)")
  var outdir: String?

  @OptionGroup var data: TrainingData

  @Option(
    help: """
      Continue the run in this folder with its options. Only --duration, --cooldown, --film, --tensorboard, the metrics and \
      the machine's options can be changed, and --data if the same images were moved; with another --precision or device \
      the weights differ.
      """)
  var resume: String?

  @Option(
    help: """
      Start from this model's weights, with its network or the one of the network options, which may differ in \
      conditions and, if recurrent, in the number of levels.
      """)
  var transfer: String?

  @Option(
    parsing: .unconditional,
    help: "Million images to train on, repeats included. (default: \(plain(Double(Defaults.images) / 1e6)))",
    transform: number(isOpen: true))
  var duration: Double?

  @Flag(
    help: """
      Draw the tree of codes at every tick, for ddn tree film; up to \(TreeFrame.mostLeaves) leaves, of class 0. A resumed \
      run continues its film.
      """)
  var film = false

  @Flag(
    inversion: .prefixedNo,
    help: """
      Write event files for TensorBoard: losses, rates and metrics at every tick, node use and image grids at every save. \
      (default: --tensorboard)
      """)
  var tensorboard: Bool?

  @Flag(name: [.customShort("n"), .long], help: "Print the options and stop.")
  var dryRun = false

  @OptionGroup(title: "Network")
  var network: NetworkShape

  @OptionGroup(title: "Learning")
  var learning: LearningOptions

  @OptionGroup(title: "Loss and choice")
  var objective: ObjectiveFlags

  @OptionGroup(title: "Metrics")
  var metrics: TrainingMetrics

  @OptionGroup(title: "Machine")
  var machine: MachineOptions

  func run() throws {
    let joined = dryRun ? nil : try machine.join()
    let group = joined?.group
    let (folder, saved) = try resume.map(openRun) ?? (nil, nil)
    // A dry run caches no images.
    let cacheBytes = dryRun ? 0 : data.cacheBytes
    let dataset = try loadImages(saved, cacheBytes: cacheBytes)
    var options = try saved ?? newOptions(for: dataset)
    if resume != nil {
      if let duration { options.images = try imageCount(fromMillions: duration) }
      if let cooldown = learning.cooldown { options.cooldownImages = try imageCount(fromMillions: cooldown) }
      if data.path != nil { options.dataFolder = data.path }
    }
    if film { options.film = true }
    options.tensorboard = tensorboard ?? options.tensorboard
    try options.validate(ranks: group?.ranks ?? 1)
    if options.film == true { try TreeFrame.check(options.network.architecture) }
    if saved == nil { try options.network.check(dataset, path: options.dataFolder ?? dataset.name) }
    try options.identify(dataset)

    let device = try joined?.device ?? machine.prepare(threads: options.threads)
    options.threads = LibTorch.threadCount
    options.precision = machine.precision ?? options.precision ?? .float32
    if let group { try options.checkAgreement(over: group, program: Ddn.configuration.version) }
    printCost(of: options.network, on: device)
    Terminal.printNotes(dataset.notes)
    if dryRun {
      _ = try options.loadObjective(on: device)
      try metrics.check(device)
      var progress = ProgressLine(total: dataset.count, unit: "images")
      defer { progress.clear() }
      try dataset.checkAll { progress.show($0, "checking") }
      progress.clear()
      Terminal.print(String(decoding: try options.json(), as: UTF8.self))
      let parent = URL(fileURLWithPath: outdir ?? "runs")
      let name = try RunFolder.nextName(in: parent, name: learning.runName(data: options.dataName))
      Terminal.print("would run in \(folder?.url.path ?? parent.appendingPathComponent(name).path) on \(device)")
      return
    }

    let objective = try options.loadObjective(on: device)
    let images = try TrainingImages(dataset, xflip: options.xflip ?? false, device: device)
    let parent = URL(fileURLWithPath: outdir ?? "runs")
    // Only rank 0 has a folder.
    let runFolder =
      try folder
      ?? (group?.isMain ?? true
        ? RunFolder.create(in: parent, name: learning.runName(data: options.dataName), options: options)
        : RunFolder(url: parent))
    let run = try TrainingRun(
      options, data: images, folder: runFolder, device: device, objective: objective, group: group)
    StopSignal.listen(
      "saving and stopping; Ctrl-C again after 3 seconds stops at once without saving", onClosedPipe: true)
    var fitting = ProgressLine.ofShare()
    let start = try interruptible(in: runFolder) {
      try run.resume { share in
        fitting.show(Int(share * 1000), "principal components")
        guard StopSignal.shouldContinue() else { throw JobStopped() }
      }
    }
    fitting.clear()
    Terminal.print(
      "\(runFolder.url.path): \(counted(images.count, "image")), \(options.network.summary), \(device)"
        + (group.map { ", \($0.ranks) ranks" } ?? ""))
    for error in start.damaged {
      Terminal.printError("note: \(error.path): \(error.problem); renamed, resuming from an older state")
    }
    if let copy = start.damagedStatistics {
      Terminal.printError("note: damaged lines of \(runFolder.statistics.path) were removed; a copy is \(copy.path)")
    }
    if start.isRestart { Terminal.printError("note: the run has no saved state yet; starting again") }
    if start.images > 0 { Terminal.print("continuing after \(start.images) of \(options.images) images") }

    if group?.isMain ?? true {
      run.measure = try interruptible(in: runFolder, images: start.images) {
        try metrics.measure(
          run.trainer.network, data: images, device: device, shouldContinue: StopSignal.shouldContinue)
      }
    }
    let view = try group?.isMain ?? true ? TrainingView(run) : nil
    try run.run(shouldStop: StopSignal.shouldStop) { event in try view?.show(event) }
    try group?.leave()
    Terminal.print("done: \(runFolder.model.path)")
  }

  /// Runs `body`, which a stop ends before the first step, also when it has ended another process first.
  private func interruptible<R>(in folder: RunFolder, images: Int = 0, _ body: () throws -> R) throws -> R {
    let interrupted = TrainingError.interrupted(images: images, savedIn: folder.url.path)
    do { return try body() } catch is JobStopped { throw interrupted } catch let error as ProcessGroupError {
      throw error.kind == .lost && StopSignal.shouldStop() ? interrupted : error
    }
  }

  /// Notes when a CPU is to train a network for GPUs, such as the original's default.
  private func printCost(of network: NetworkConfiguration, on device: Device) {
    guard device == .cpu, let multiplyAdds = network.architecture.multiplyAdds else { return }
    let operations = 6 * multiplyAdds  // a third forward, the rest backward
    guard operations > 20_000_000_000 else { return }
    Terminal.printError(
      "note: training takes \(formatNumber(Double(operations) / 1e9, digits: 0)) billion operations per image, slow on a CPU; "
        + "smaller: --cbase 1024 --cmax 64 --max-blockn 8")
  }

  private func openRun(_ path: String) throws -> (RunFolder?, TrainingOptions?) {
    let given =
      learning.givenNames + objective.givenNames + network.givenNames + (data.xflip ? ["--xflip"] : [])
      + (transfer == nil ? [] : ["--transfer"]) + (outdir == nil ? [] : ["--outdir"])
    if let name = given.first {
      throw UsageError("--resume uses the run's options; remove \(name), or start a new run")
    }
    let (folder, options) = try RunFolder.open(URL(fileURLWithPath: path))
    return (folder, options)
  }

  /// The images of a run to continue or of a new one; decoding shows progress.
  private func loadImages(_ saved: TrainingOptions?, cacheBytes: Int) throws -> ImageDataset {
    var progress: ProgressLine?
    func show(_ done: Int, _ count: Int) {
      progress = progress ?? ProgressLine(total: count, unit: "images")
      progress?.show(done, "decoding")
    }
    defer { progress?.clear() }
    if var saved {
      saved.dataFolder = data.path ?? saved.dataFolder
      do { return try saved.loadImages(cacheBytes: cacheBytes, progress: show) } catch let error as FileError
        where error.kind == .missing && data.path == nil
      {
        throw FileError(
          .missing, path: error.path, problem: error.problem,
          remedy: "if this run's images were moved, give their path with --data")
      }
    }
    return try TrainingOptions.loadImages(
      data.path, resize: learning.resize ?? Defaults.resize, cacheBytes: cacheBytes, progress: show)
  }

  private func newOptions(for dataset: ImageDataset) throws -> TrainingOptions {
    let source = try transfer.map(openTransferred)
    let isDescribed = source == nil || !network.givenNames.isEmpty
    let configuration = isDescribed ? try network.configuration(for: dataset) : source!.configuration
    if let difference = source.flatMap({ configuration.weightDifference(from: $0.configuration) }) {
      throw UsageError(
        "--transfer \(transfer!): \(difference); remove the network options to use the model's, or change them")
    }
    return try NewRun(network: network, learning: learning, objective: objective, xflip: data.xflip, duration: duration)
      .options(configuration, path: data.path, transferFile: source?.file)
  }

  /// The model to start from: its file and its network.
  private func openTransferred(_ name: String) throws -> (file: String, configuration: NetworkConfiguration) {
    var source = NetworkOption()
    source.network = name
    return (source.url.path, try source.load(device: .cpu).configuration)
  }
}

extension TrainingOptions {
  /// The data's name in the run folder's name.
  fileprivate var dataName: String {
    guard let url = dataFolder.map({ URL(fileURLWithPath: $0) }) else { return "mnist-test" }
    return (url.pathExtension == "zip" ? url.deletingPathExtension() : url).lastPathComponent
  }
}
