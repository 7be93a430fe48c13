import DDN
import DDNData
import DDNFiles
import Foundation
import TensorBoard
import Torch

/// A training run with a folder: resumes, trains, writes statistics, saves, and stops cleanly.
public final class TrainingRun {
  public enum Event {
    /// Many times per step; `step` is the finished fraction of the current step, in 0..<1.
    case progress(images: Int, step: Double, imagesPerSecond: Double)
    /// Every `tickImages`, after statistics are written; draw images of `trainer.network` now.
    case tick(TickStatistics)
    /// The last statistics before a requested stop; draw nothing.
    case stopping(TickStatistics)
    /// A file could not be written; the run continues and retries at the next tick.
    case writeFailed(FileError)
  }

  /// How a run starts.
  public struct Start {
    /// Images already seen.
    public let images: Int
    /// Errors of skipped damaged states, the newest first.
    public let damaged: [FileError]
    /// A copy of the statistics, if damaged lines were removed from them.
    public let damagedStatistics: URL?
    /// Whether the run starts again, because it was stopped before its first save.
    public let isRestart: Bool
  }

  /// Measures the network's images at every tick, for the statistics; nil for no measure.
  public var measure: (() throws -> Double)?
  public let trainer: Trainer
  public let folder: RunFolder
  /// Rank 0's.
  private let lock: FolderLock?
  private let group: ProcessGroup?
  private var elapsedSeconds = 0.0
  private var lastLosses: [Double] = []
  private var statisticsWrites = PendingWrites()
  private var eventWrites = PendingWrites()
  private var isSaveDue = false
  /// Nil without TensorBoard.
  private var events: TrainingEvents?
  /// Whether the newest tick's pictures belong in the event file, to `addPicture`: at saves, so that it stays small.
  public private(set) var keepsPictures = false
  private static let keptStates = 2

  /// - Parameters:
  ///   - options: of the run.
  ///   - data: the options' images.
  ///   - folder: of the run.
  ///   - device: of the network.
  ///   - objective: nil for the options'.
  ///   - group: the processes that train together; only rank 0 touches the folder. Nil for a single one.
  /// - Throws: `FileError` when another process trains in this folder.
  public init(
    _ options: TrainingOptions, data: TrainingImages, folder: RunFolder, device: Device,
    objective: (any Objective)? = nil, group: ProcessGroup? = nil
  ) throws {
    lock = group?.isMain ?? true ? try FolderLock(folder.url, for: "training") : nil
    trainer = try Trainer(options, data: data, device: device, objective: objective, group: group)
    self.folder = folder
    self.group = group
  }

  /// Whether this process writes and reports.
  private var isMain: Bool { group?.isMain ?? true }

  /// Resumes from the newest intact state, on all ranks from rank 0's; in a folder without saves, starts from the options' initial weights.
  ///
  /// Cleans up after a killed run: removes unfinished files, restores the newest model, and renames damaged states.
  ///
  /// - Parameter fitting: called with the finished share while a `FittedNetwork` reads the images; throwing aborts.
  /// - Throws: `FileError`: `missing` when states are lost, `invalid` when all are damaged or one is of another
  ///   training; nothing is then changed.
  public func resume(fitting: (Double) throws -> Void = { _ in }) throws -> Start {
    var start: Start?
    if isMain { start = try resumeFolder(fitting) }
    if let group { try Checkpoint.share(trainer, over: group) }
    return start ?? Start(images: trainer.images, damaged: [], damagedStatistics: nil, isRestart: false)
  }

  private func resumeFolder(_ fitting: (Double) throws -> Void) throws -> Start {
    let states = try Checkpoint.all(in: folder.url)
    let (saved, damaged) = try newestIntact(of: states)
    if let saved {
      try Checkpoint.load(saved, into: trainer)
      elapsedSeconds = saved.summary.elapsedSeconds
      for state in states.suffix(damaged.count) { try renameDamaged(state) }
      try restoreModel(saved.summary)
    } else {
      try folder.checkNothingWasSaved(trainer.options)
      if let file = trainer.options.transferFile {
        try trainer.transfer(from: URL(fileURLWithPath: file))
      } else {
        try trainer.fit(progress: fitting)
      }
    }
    try Folder.removeLeftovers(in: folder.url)
    let isRestart = saved == nil && folder.hasStatistics
    let damagedStatistics = try folder.truncateStatistics(after: trainer.images)
    try folder.write(trainer.options)
    return Start(
      images: trainer.images, damaged: damaged, damagedStatistics: damagedStatistics, isRestart: isRestart)
  }

  /// The newest intact state, and the errors of damaged ones after it.
  private func newestIntact(of states: [URL]) throws -> (Checkpoint.Saved?, damaged: [FileError]) {
    var damaged: [FileError] = []
    for state in states.reversed() {
      do { return (try Checkpoint.Saved(contentsOf: state), damaged) } catch let error as FileError {
        if error.kind == .failed { throw error }  // Unreadable is not damaged; it may be temporary.
        damaged.append(error)
      }
    }
    guard let newest = damaged.first else { return (nil, []) }
    throw FileError(
      .invalid, path: newest.path,
      problem: newest.problem + (damaged.count == 1 ? "" : ", and all older states are damaged, too"),
      remedy: "restore a state from a backup, or start a new run with --transfer \(folder.model.path)")
  }

  /// Renames a damaged state, so that an intact one of as many images can be saved.
  private func renameDamaged(_ state: URL) throws {
    let renamed = folder.url.appendingPathComponent("damaged-" + state.lastPathComponent)
    try Folder.remove(renamed)
    guard rename(state.path, renamed.path) == 0 else { throw FileError.system("cannot be renamed", path: state.path) }
  }

  /// Writes the state's model, unless the folder has a newer one from a damaged state.
  private func restoreModel(_ summary: TrainingSummary) throws {
    // An unreadable model is replaced like a missing one.
    let existing = try? Model(contentsOf: folder.model).training?.images
    if existing ?? 0 <= summary.images { try writeModel(summary) }
  }

  /// Trains until the options' last image.
  ///
  /// - Parameters:
  ///   - shouldStop: called many times per step; true, on any rank, abandons the step, saves and stops.
  ///   - report: called with every event. A `FileError` that it throws is reported as `writeFailed`.
  /// - Throws: `TrainingError.interrupted` after a clean stop, `TrainingError.diverged`; `FileError` when the last save
  ///   cannot be written; `ProcessGroupError` when another process is lost, and nothing is saved; earlier saves are kept.
  public func run(shouldStop: () -> Bool = { false }, report: (Event) throws -> Void = { _ in }) throws {
    let options = trainer.options
    trainer.data.follow(trainer.order, batch: options.forwardImages(ranks: group?.ranks ?? 1))
    if options.tensorboard ?? true { events = TrainingEvents(in: folder, startingAt: trainer.images) }
    var clock = Stopwatch()
    var (tickSeconds, tickStart) = (0.0, trainer.images)
    func rate() -> Double { Double(trainer.images - tickStart) / max(tickSeconds, 1e-9) }
    while trainer.images < options.images {
      do {
        try trainer.step { fraction in
          // Failing to show progress must not stop the run.
          try? report(.progress(images: trainer.images, step: fraction, imagesPerSecond: rate()))
          return !shouldStop()
        }
      } catch is StepAbandoned { try stop(imagesPerSecond: rate(), report) }
      let seconds = clock.lap()
      elapsedSeconds += seconds
      tickSeconds += seconds
      try report(.progress(images: trainer.images, step: 0, imagesPerSecond: rate()))

      let isLast = trainer.images >= options.images
      let ticksBefore = (trainer.images - options.batch) / options.tickImages
      let ticks = trainer.images / options.tickImages
      if ticks > ticksBefore || isLast {
        var tick = try makeTick(imagesPerSecond: rate())
        tick.frechetDistance = try measured(shouldStop)
        isSaveDue = isSaveDue || isLast || ticks / options.saveTicks > ticksBefore / options.saveTicks
        // Save first: a failure to draw must not lose the run.
        try write(tick, mustSave: isLast, report)
        try draw(tick, shouldStop, report)
        (tickSeconds, tickStart) = (0, trainer.images)
        clock = Stopwatch()
      }
      // A group stops within a step, where its processes agree.
      if !isLast && group == nil && shouldStop() { try stop(imagesPerSecond: rate(), report) }
    }
  }

  /// Saves and ends the run.
  ///
  /// - Throws: always; `TrainingError.interrupted` when everything is saved.
  private func stop(imagesPerSecond: Double, _ report: (Event) throws -> Void) throws -> Never {
    isSaveDue = true
    if trainer.hasLosses {
      let tick = try makeTick(imagesPerSecond: imagesPerSecond)
      try write(tick, mustSave: true, report)
      try report(.stopping(tick))
    } else {
      try save()
    }
    // A launcher ends the others when one process ends: first everything is saved.
    try group?.barrier()
    throw TrainingError.interrupted(images: trainer.images, savedIn: folder.url.path)
  }

  /// Writes statistics and saves if due. Failures are retried at the next tick.
  private func write(_ tick: TickStatistics, mustSave: Bool, _ report: (Event) throws -> Void) throws {
    guard isMain else { return isSaveDue ? try save() : () }
    statisticsWrites.add { [folder] in try folder.append(tick) }
    keepsPictures = isSaveDue && events != nil
    if let events {
      let nodeUse = isSaveDue ? trainer.takeNodeUse() : []
      eventWrites.add { try events.append(tick, nodeUse: nodeUse) }
    }
    do { try statisticsWrites.perform() } catch let error as FileError { try report(.writeFailed(error)) }
    do { try eventWrites.perform() } catch let error as FileError { try report(.writeFailed(error)) }
    guard isSaveDue else { return }
    do { try save() } catch let error as FileError where !mustSave { try report(.writeFailed(error)) }
  }

  /// Adds a picture of the newest tick to the event file; see `keepsPictures`.
  ///
  /// - Parameters:
  ///   - name: its name in TensorBoard.
  ///   - file: a PNG file's bytes.
  ///   - width: in pixels.
  ///   - height: in pixels.
  ///   - channels: 1 (gray) or 3 (RGB).
  /// - Throws: `FileError` when it cannot be written.
  public func addPicture(_ name: String, file: Data, width: Int, height: Int, channels: Int) throws(FileError) {
    let picture = PNGPicture(file: file, width: width, height: height, channels: channels)
    try events?.append(picture, named: name, images: trainer.images)
  }

  /// Reports a tick; a stop requested meanwhile interrupts the caller's drawing.
  private func draw(_ tick: TickStatistics, _ shouldStop: () -> Bool, _ report: (Event) throws -> Void) throws {
    guard isMain else { return }
    func shouldContinue() -> Bool { !shouldStop() }
    do { try withPulse(shouldContinue) { try report(.tick(tick)) } } catch let error as FileError {
      try report(.writeFailed(error))
    } catch let error as TorchError {
      if !shouldStop() { throw error }
    }
  }

  /// The measure of the network in evaluation mode; nil for none, or when a stop was requested meanwhile.
  private func measured(_ shouldStop: () -> Bool) throws -> Double? {
    guard let measure else { return nil }
    trainer.network.setMode(.evaluation)
    defer { trainer.network.setMode(.training) }
    do { return try withPulse({ !shouldStop() }, measure) } catch let error as TorchError {
      if shouldStop() { return nil }
      throw error
    }
  }

  private func makeTick(imagesPerSecond: Double) throws -> TickStatistics {
    lastLosses = try trainer.takeLosses()
    return TickStatistics(
      images: trainer.images, elapsedSeconds: elapsedSeconds, imagesPerSecond: imagesPerSecond,
      learningRate: trainer.optimizer.learningRate, loss: lastLosses.reduce(0, +) / Double(lastLosses.count),
      lossOfLevels: lastLosses, perplexityOfLayers: trainer.perplexities,
      splits: trainer.network.layers.reduce(0) { $0 + $1.layer.statistics.splitImages.count },
      skippedSteps: try trainer.optimizer.skippedSteps().all)
  }

  private func save() throws {
    try trainer.checkWeights()
    isSaveDue = isSaveDue && isMain
    guard isMain else { return }
    let summary = TrainingSummary(
      data: trainer.data.name, images: trainer.images, elapsedSeconds: elapsedSeconds, lossOfLevels: lastLosses,
      perplexityOfLayers: trainer.perplexities)
    try Checkpoint.save(trainer, summary: summary, in: folder.url)
    try writeModel(summary)
    try Checkpoint.keepNewest(Self.keptStates, in: folder.url)
    isSaveDue = false
  }

  private func writeModel(_ summary: TrainingSummary) throws {
    try Model(configuration: trainer.options.network, network: trainer.network, training: summary)
      .write(to: folder.model, average: trainer.average?.state() ?? [:])
  }
}

/// Seconds between calls.
struct Stopwatch {
  private var last = ContinuousClock.now

  /// Seconds since the last call or `init`.
  mutating func lap() -> Double {
    let now = ContinuousClock.now
    defer { last = now }
    return (now - last) / .seconds(1)
  }
}
