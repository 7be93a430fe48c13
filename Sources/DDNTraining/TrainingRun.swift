import DDN
import DDNData
import DDNFiles
import Foundation
import Torch

/// A training from its first image, or from a saved one, to its last: ticks, saves, and a clean stop.
public final class TrainingRun {
  /// What the run tells whoever watches.
  public enum Event {
    /// After every step: for a progress line.
    case progress(images: Int, imagesPerSecond: Double)
    /// Every `tickImages`: statistics are written; draw pictures of `trainer.network` now.
    case tick(TickStatistics)
  }

  public let trainer: Trainer
  public let folder: RunFolder
  private let lock: FolderLock
  private var elapsedSeconds = 0.0
  private var lastLosses: [Double] = []
  private static let keptStates = 2

  /// - Parameter data: what to train on; it must be what the options name.
  /// - Throws: `FileError` when another process trains in this folder.
  public init(_ options: TrainingOptions, data: TrainingImages, folder: RunFolder, device: Device) throws {
    lock = try FolderLock(folder.url, for: "training")
    trainer = try Trainer(options, data: data, device: device)
    self.folder = folder
  }

  /// Goes on from the newest saved state; without one, from the weights that the options name or fresh ones.
  ///
  /// Puts the folder in order: what a killed run had not finished is removed or, the newest model, written.
  /// - Returns: the images already seen.
  /// - Throws: `FileError` when the state is damaged.
  public func resume() throws -> Int {
    if let state = try Checkpoint.all(in: folder.url).last {
      let summary = try Checkpoint.load(state, into: trainer)
      elapsedSeconds = summary.elapsedSeconds
      try writeModel(summary)
    } else if let file = trainer.options.transferFile {
      try trainer.transfer(from: URL(fileURLWithPath: file))
    }
    try Folder.removeLeftovers(in: folder.url)
    try folder.truncateStatistics(after: trainer.images)
    try folder.write(trainer.options)
    return trainer.images
  }

  /// Trains until the options' last image.
  ///
  /// - Parameters:
  ///   - shouldStop: asked after every step; true saves and stops.
  ///   - report: sees every event.
  /// - Throws: `TrainingError.interrupted` after a clean stop, `TrainingError.diverged`, `FileError` when the disk
  ///   refuses; what was saved before stays.
  public func run(shouldStop: () -> Bool = { false }, report: (Event) throws -> Void = { _ in }) throws {
    let options = trainer.options
    trainer.data.follow(trainer.order, batch: options.microBatch ?? options.batch)
    var clock = Stopwatch()
    var (tickSeconds, tickStart) = (0.0, trainer.images)
    while trainer.images < options.images {
      try trainer.step()
      let seconds = clock.lap()
      elapsedSeconds += seconds
      tickSeconds += seconds
      let rate = Double(trainer.images - tickStart) / max(tickSeconds, 1e-9)
      try report(.progress(images: trainer.images, imagesPerSecond: rate))

      let isLast = trainer.images >= options.images
      let isStopped = !isLast && shouldStop()
      let ticksBefore = (trainer.images - options.batch) / options.tickImages
      let ticks = trainer.images / options.tickImages
      if ticks > ticksBefore || isLast || isStopped {
        let tick = try makeTick(imagesPerSecond: rate)
        try folder.append(tick)
        // Saved before anyone draws: a picture that fails must not cost the run.
        if isLast || isStopped || ticks / options.saveTicks > ticksBefore / options.saveTicks { try save() }
        try report(.tick(tick))
        (tickSeconds, tickStart) = (0, trainer.images)
        clock = Stopwatch()
      }
      if isStopped { throw TrainingError.interrupted(images: trainer.images, savedIn: folder.url.path) }
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
