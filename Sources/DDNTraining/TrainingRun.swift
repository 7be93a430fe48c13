import DDN
import DDNData
import DDNFiles
import Foundation
import Torch

/// A training from its first image, or from a saved one, to its last: ticks, saves, and a clean stop.
public final class TrainingRun {
  /// What the run reports.
  public enum Event {
    /// Many times in a step and after it, for a progress line; `step` is the share of the current step that is done, 0..<1.
    case progress(images: Int, step: Double, imagesPerSecond: Double)
    /// Every `tickImages`: statistics are written; draw pictures of `trainer.network` now.
    case tick(TickStatistics)
    /// The last statistics before a stop that was asked for; draw nothing.
    case stopping(TickStatistics)
    /// Something could not be written; the run goes on and tries again at the next tick.
    case trouble(FileError)
  }

  /// Where a run begins.
  public struct Start {
    /// Images already seen.
    public let images: Int
    /// Damaged states that were passed over, the newest first, and what is wrong with each.
    public let damaged: [FileError]
    /// Whether the folder's run was stopped before its first save, so that it begins again.
    public let isRestart: Bool
  }

  public let trainer: Trainer
  public let folder: RunFolder
  private let lock: FolderLock
  private var elapsedSeconds = 0.0
  private var lastLosses: [Double] = []
  /// Statistics that the disk has refused so far.
  private var unwritten: [TickStatistics] = []
  private var isSaveDue = false
  private static let keptStates = 2

  /// - Parameter data: what to train on; it must be what the options name.
  /// - Throws: `FileError` when another process trains in this folder.
  public init(_ options: TrainingOptions, data: TrainingImages, folder: RunFolder, device: Device) throws {
    lock = try FolderLock(folder.url, for: "training")
    trainer = try Trainer(options, data: data, device: device)
    self.folder = folder
  }

  /// Goes on from the newest whole state; in a folder where nothing was ever saved, from the weights that the options name
  /// or fresh ones.
  ///
  /// Puts the folder in order: what a killed run had not finished is removed or, the newest model, written; damaged states
  /// get other names.
  /// - Throws: `FileError`: `missing` when the folder's states are gone, `invalid` when none is whole, or when one is of
  ///   another training; then nothing is changed.
  public func resume() throws -> Start {
    let states = try Checkpoint.all(in: folder.url)
    let (saved, damaged) = try newestWhole(of: states)
    if let saved {
      try Checkpoint.load(saved, into: trainer)
      elapsedSeconds = saved.summary.elapsedSeconds
      for state in states.suffix(damaged.count) { try setAside(state) }
      try restoreModel(saved.summary)
    } else {
      try folder.checkNothingWasSaved(trainer.options)
      if let file = trainer.options.transferFile { try trainer.transfer(from: URL(fileURLWithPath: file)) }
    }
    try Folder.removeLeftovers(in: folder.url)
    let isRestart = saved == nil && folder.hasStatistics
    try folder.truncateStatistics(after: trainer.images)
    try folder.write(trainer.options)
    return Start(images: trainer.images, damaged: damaged, isRestart: isRestart)
  }

  /// The newest state whose files are whole, and what is wrong with those after it.
  private func newestWhole(of states: [URL]) throws -> (Checkpoint.Saved?, damaged: [FileError]) {
    var damaged: [FileError] = []
    for state in states.reversed() {
      do { return (try Checkpoint.Saved(contentsOf: state), damaged) } catch let error as FileError {
        if error.kind == .failed { throw error }  // Not damage: perhaps it can be read tomorrow.
        damaged.append(error)
      }
    }
    guard let newest = damaged.first else { return (nil, []) }
    throw FileError(
      .invalid, path: newest.path,
      problem: newest.problem + (damaged.count == 1 ? "" : ", and the states before it are damaged, too"),
      remedy: "restore a state from a backup, or start a new run with --transfer \(folder.model.path)")
  }

  /// Gives a damaged state another name, so that a whole one of as many images can be saved.
  private func setAside(_ state: URL) throws {
    let aside = folder.url.appendingPathComponent("damaged-" + state.lastPathComponent)
    try Folder.remove(aside)
    guard rename(state.path, aside.path) == 0 else { throw FileError.system("cannot be renamed", path: state.path) }
  }

  /// Writes the state's model unless a newer one is there, which a damaged state has left.
  private func restoreModel(_ summary: TrainingSummary) throws {
    // One that cannot be read is replaced like one that is not there.
    let present = try? Model(contentsOf: folder.model).training?.images
    if present ?? 0 <= summary.images { try writeModel(summary) }
  }

  /// Trains until the options' last image.
  ///
  /// - Parameters:
  ///   - shouldStop: asked many times a step; true abandons the step, saves what was learned before it and stops.
  ///   - report: sees every event. A `FileError` that it throws is reported as trouble.
  /// - Throws: `TrainingError.interrupted` after a clean stop, `TrainingError.diverged`; `FileError` when the last save
  ///   cannot be written; what was saved before stays.
  public func run(shouldStop: () -> Bool = { false }, report: (Event) throws -> Void = { _ in }) throws {
    let options = trainer.options
    trainer.data.follow(trainer.order, batch: options.microBatch ?? options.batch)
    var clock = Stopwatch()
    var (tickSeconds, tickStart) = (0.0, trainer.images)
    func rate() -> Double { Double(trainer.images - tickStart) / max(tickSeconds, 1e-9) }
    while trainer.images < options.images {
      do {
        try trainer.step { fraction in
          // Progress that cannot be shown is no reason to stop.
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
        let tick = try makeTick(imagesPerSecond: rate())
        isSaveDue = isSaveDue || isLast || ticks / options.saveTicks > ticksBefore / options.saveTicks
        // Saved before anyone draws: a picture that fails must not cost the run.
        try write(tick, mustSave: isLast, report)
        try draw(tick, shouldStop, report)
        (tickSeconds, tickStart) = (0, trainer.images)
        clock = Stopwatch()
      }
      if !isLast && shouldStop() { try stop(imagesPerSecond: rate(), report) }
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
    throw TrainingError.interrupted(images: trainer.images, savedIn: folder.url.path)
  }

  /// Writes statistics and, where it is due, saves. What the disk refuses is tried again at the next tick.
  private func write(_ tick: TickStatistics, mustSave: Bool, _ report: (Event) throws -> Void) throws {
    unwritten.append(tick)
    do {
      while let next = unwritten.first {
        try folder.append(next)
        unwritten.removeFirst()
      }
    } catch let error as FileError { try report(.trouble(error)) }
    guard isSaveDue else { return }
    do { try save() } catch let error as FileError where !mustSave { try report(.trouble(error)) }
  }

  /// Lets the caller draw; a stop that is asked for meanwhile ends the drawing.
  private func draw(_ tick: TickStatistics, _ shouldStop: () -> Bool, _ report: (Event) throws -> Void) throws {
    func shouldContinue() -> Bool { !shouldStop() }
    do { try withPulse(shouldContinue) { try report(.tick(tick)) } } catch let error as FileError {
      try report(.trouble(error))
    } catch let error as TorchError {
      if !shouldStop() { throw error }
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

  /// Seconds since the last call, or since this was made.
  mutating func lap() -> Double {
    let now = ContinuousClock.now
    defer { last = now }
    return (now - last) / .seconds(1)
  }
}
