import DDN
import DDNAblation
import DDNTraining
import Foundation

/// Shows an ablation study: a progress line over all runs, and a line for each finished run.
final class AblationView {
  private let outputs: AblationOutputs
  private var pace = AblationPace()
  private var progress: ProgressLine
  /// Images of finished runs.
  private var doneImages: Int
  /// Not finished, from the current one.
  private var openRuns: [AblationRun]
  private var measuringStart: ContinuousClock.Instant?

  init(_ ablation: Ablation, _ outputs: AblationOutputs) {
    self.outputs = outputs
    openRuns = ablation.openRuns
    let total = ablation.plan.runs.reduce(0) { $0 + $1.options.images }
    doneImages = total - openRuns.reduce(0) { $0 + $1.options.images }
    progress = ProgressLine(total: total, unit: "images")
    for result in ablation.results { pace.add(result) }
  }

  func show(_ event: Ablation.Event) throws {
    switch event {
    case .begins(let run, let images):
      progress.clear()
      if images > 0, images < run.options.images {
        Terminal.print("\(run.name): continuing after \(images) of \(run.options.images) images")
      }
    case .fitting(let run, let share): showProgress(0, "\(run.name): principal components \(Int(share * 100))%")
    case .trains(let run, .progress(let images, _, let rate)):
      if rate > 0 { pace.setTraining(run.row.name, 1 / rate) }
      showProgress(images, run.name)
    case .trains(_, .writeFailed(let error)):
      progress.clear()
      Terminal.printError("note: \(error); training continues and retries at the next tick")
    case .trains: break
    case .measures(let run, let stage, let share):
      measuringStart = measuringStart ?? .now
      showProgress(run.options.images, "\(run.name): measuring, \(stage.rawValue) \(Int(share * 100))%")
    case .finished(let run, let result): try finish(run, result)
    }
  }

  func clear() { progress.clear() }

  private func showProgress(_ images: Int, _ text: String) {
    let left = pace.seconds(of: openRuns, done: images) ?? 0
    let rest = openRuns.reduce(0) { $0 + $1.options.images } - images
    // The rate by which the rest takes as long.
    progress.show(doneImages + images, rate: left > 0 ? Double(max(rest, 1)) / left : 0, text)
  }

  private func finish(_ run: AblationRun, _ result: AblationResult) throws {
    progress.clear()
    pace.add(result, secondsOfMeasuring: measuringStart.map { (ContinuousClock.now - $0) / .seconds(1) })
    measuringStart = nil
    doneImages += run.options.images
    openRuns.removeFirst()
    try outputs.writeNumbers()
    let measured = result.measurement
    let shown = measured.test ?? measured.training
    let left = openRuns.isEmpty ? "" : pace.seconds(of: openRuns).map { ", \(formatDuration($0)) left" } ?? ""
    Terminal.print(
      "\(run.name): \(measured.test == nil ? "training" : "test") error \(formatNumber(shown.errorOfLevels.last!))"
        + (measured.sampleDistance.map { ", distance of samples \(formatNumber($0, digits: 2))" } ?? "")
        + (shown.frechetDistance.map { ", of reconstructions \(formatNumber($0, digits: 2))" } ?? "")
        + ", \(counted(result.splits, "split")), \(formatDuration(result.trainingSeconds))" + left)
  }
}
