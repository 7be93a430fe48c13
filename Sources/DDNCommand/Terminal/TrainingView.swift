import DDN
import DDNFigures
import DDNFiles
import DDNTraining
import Foundation
import Images
import Torch

/// Shows a training run: a progress line, and a status line and image grids at every tick.
final class TrainingView {
  private let run: TrainingRun
  private var progress: ProgressLine
  private var lastLoss = ""
  /// The first report of the current step.
  private var stepStart: ContinuousClock.Instant?
  /// The first training images, `[B, C, H, W]`, and their classes, for the reconstruction grid.
  private let examples: (images: Tensor, classes: Tensor)

  init(_ run: TrainingRun) throws {
    self.run = run
    progress = ProgressLine(total: run.trainer.options.images, unit: "images")
    let data = run.trainer.data
    examples = try data.batch(Array(0..<min(8, data.count)))
  }

  func show(_ event: TrainingRun.Event) throws {
    switch event {
    case .progress(let images, let step, let rate):
      progress.show(images, rate: rate, lastLoss + stepProgress(step))
    case .tick(let tick):
      printLine(tick)
      try drawPictures(images: tick.images)
    case .stopping(let tick): printLine(tick)
    case .writeFailed(let error):
      progress.clear()
      Terminal.printError("note: \(error); training continues and retries at the next tick")
    }
  }

  /// Progress of steps over two seconds; there is no rate before the first is done.
  private func stepProgress(_ share: Double) -> String {
    guard share > 0 else {
      stepStart = nil
      return ""
    }
    let start = stepStart ?? .now
    stepStart = start
    return ContinuousClock.now - start > .seconds(2) ? "  this step \(Int(share * 100))%" : ""
  }

  private func printLine(_ tick: TickStatistics) {
    progress.clear()
    lastLoss = "loss \(formatNumber(tick.loss))"
    let left = Double(max(run.trainer.options.images - tick.images, 0)) / max(tick.imagesPerSecond, 1e-9)
    Terminal.print(
      "\(tick.images) images  \(lastLoss)  last level \(formatNumber(tick.lossOfLevels.last!))  "
        + (tick.frechetDistance.map { "distance \(String(format: "%.4g", $0))  " } ?? "")
        + "perplexity \(formatPerplexities(tick.perplexityOfLayers))  \(tick.splits) splits  "
        + ((tick.skippedSteps ?? 0) > 0 ? "\(tick.skippedSteps!) steps skipped (gradients not finite)  " : "")
        + "\(formatRate(tick.imagesPerSecond))/s  \(formatDuration(left)) left")
  }

  private func drawPictures(images: Int) throws {
    let network = run.trainer.network
    network.setMode(.evaluation)
    defer { network.setMode(.training) }
    let codes = (0..<UInt64(64)).map { LatentCode(seed: $0, in: network.codeSpace) }
    let classes = network.classes > 0 ? codes.indices.map { $0 % network.classes } : nil
    let places = codes.indices.map { $0 % examples.images.shape[0] }
    let sources = try examples.images.gathered(Tensor(places, shape: [places.count]).to(network.device))
    try write(
      SampleGrid.draw(network.decode(codes, classes: classes, sources: sources).bitmaps()), "samples", images: images)
    let reconstruction = try Reconstruction(of: examples.images, by: network, classes: examples.classes)
    try write(
      ReconstructionGrid.draw(targets: examples.images, levels: reconstruction.levels), "reconstructions",
      images: images)
    if run.trainer.options.film == true {
      try TreeFrame.draw(network).write(to: run.folder.picture("tree", images: images))
    }
    let ticks = try run.folder.readStatistics()
    let measured = ticks.filter { $0.frechetDistance != nil }
    if run.measure != nil {
      let curve = LossCurve.svg(
        distances: measured.map { $0.frechetDistance! }, images: measured.map(\.images), name: "Frechet distance")
      try AtomicFile.write(Data(curve.utf8), to: run.folder.distanceCurve)
    }
    let curve = ticks.map { LossCurve.Point(images: $0.images, losses: $0.lossOfLevels) }
    try AtomicFile.write(Data(LossCurve.svg(curve).utf8), to: run.folder.lossCurve)
  }

  private func write(_ picture: Bitmap, _ name: String, images: Int) throws {
    let file = run.folder.picture(name, images: images)
    try picture.write(to: file)
    guard run.keepsPictures else { return }
    try run.addPicture(
      name, file: InputFile.map(file), width: picture.width, height: picture.height, channels: picture.channels)
  }
}
