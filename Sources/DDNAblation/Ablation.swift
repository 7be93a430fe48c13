import DDN
import DDNData
import DDNEvaluation
import DDNFiles
import DDNTraining
import Foundation
import Torch

/// Trains and measures all runs of an ablation study; finished runs are read, an interrupted one resumes.
///
/// Every run is an ordinary run folder.
public struct Ablation {
  public enum Event {
    /// A run begins or resumes after `images`.
    case begins(AblationRun, images: Int)
    /// A finished share of the preparation of weights from the images.
    case fitting(AblationRun, Double)
    /// Many times per step.
    case trains(AblationRun, TrainingRun.Event)
    /// A finished share of a run's measurement.
    case measures(AblationRun, AblationMeter.Stage, Double)
    /// A run is measured now.
    case finished(AblationRun, AblationResult)
  }

  public let plan: AblationPlan
  public let folder: AblationFolder
  private let data: TrainingImages
  private let meter: AblationMeter
  private let device: Device
  private let objective: (TrainingOptions) throws -> any Objective

  /// - Parameters:
  ///   - plan: what to run.
  ///   - folder: opened for the plan's setting, and locked.
  ///   - data: the images of the plan's options.
  ///   - meter: measures trained networks.
  ///   - device: of the networks.
  ///   - objective: makes a run's objective; nil for `TrainingOptions.objective(on:)`.
  public init(
    _ plan: AblationPlan, in folder: AblationFolder, data: TrainingImages, meter: AblationMeter, device: Device,
    objective: ((TrainingOptions) throws -> any Objective)? = nil
  ) {
    (self.plan, self.folder, self.data, self.meter, self.device) = (plan, folder, data, meter, device)
    self.objective = objective ?? { try $0.objective(on: device) }
  }

  /// The results of finished runs, in the plan's order.
  public var results: [AblationResult] { plan.runs.compactMap { folder.result(of: $0) } }

  /// The runs that are not finished and measured.
  public var openRuns: [AblationRun] { plan.runs.filter { folder.result(of: $0) == nil } }

  /// Trains and measures what is missing.
  ///
  /// - Parameters:
  ///   - shouldStop: called often; true saves and stops.
  ///   - report: called with every event.
  /// - Returns: the results of all runs, in the plan's order.
  /// - Throws: `JobStopped` after a clean stop; `AblationError` for a run that diverges, or was continued
  ///   beyond its length; `FileError`;
  ///   `EvaluationError`; `TorchError`.
  public func run(
    shouldStop: () -> Bool = { false }, report: (Event) throws -> Void = { _ in }
  ) throws -> [AblationResult] {
    for run in openRuns {
      do {
        let result = try finish(run, shouldStop: shouldStop, report: report)
        try folder.write(result, of: run)
        try report(.finished(run, result))
      } catch TrainingError.interrupted { throw JobStopped() } catch TrainingError.diverged(let images) {
        throw AblationError(
          "\(run.name): the loss or its gradient is not finite after \(images) images; lower --lr in another folder, or "
            + "leave the row out with --rows")
      }
      guard !shouldStop() else { throw JobStopped() }
    }
    return results
  }

  private func finish(
    _ run: AblationRun, shouldStop: () -> Bool, report: (Event) throws -> Void
  ) throws -> AblationResult {
    let options = run.options
    let runFolder = folder.run(run)
    try Folder.create(runFolder.url)
    if !FileManager.default.fileExists(atPath: runFolder.options.path) { try runFolder.write(options) }
    let training = try TrainingRun(
      options, data: data, folder: runFolder, device: device, objective: objective(options))
    let start = try training.resume { share in
      guard !shouldStop() else { throw JobStopped() }
      try report(.fitting(run, share))
    }
    guard start.images < options.images + options.batch else {
      throw AblationError(
        "\(run.name): has seen \(start.images) images, more than the study's \(options.images); remove its folder to "
          + "repeat the run")
    }
    try report(.begins(run, images: start.images))
    try training.run(shouldStop: shouldStop) { try report(.trains(run, $0)) }

    let model = try Model(contentsOf: runFolder.model, device: device)
    func shouldContinue() -> Bool { !shouldStop() }
    let measurement = try meter(model.network, shouldContinue: shouldContinue) { stage, share in
      try? report(.measures(run, stage, share))
    }
    return AblationResult(
      row: run.row.name, label: run.row.label, seed: run.seed, folder: run.name,
      parameters: model.network.parameterCount,
      levels: model.network.codeSpace.levels.count, bits: model.network.codeSpace.bits,
      images: training.trainer.images, trainingSeconds: model.training?.elapsedSeconds ?? 0,
      splits: training.trainer.network.layers.reduce(0) { $0 + $1.layer.statistics.splitImages.count },
      perplexityOfLayers: training.trainer.perplexities, measurement: measurement)
  }
}

/// An ablation study that cannot be finished; one line.
public struct AblationError: Error, Equatable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
