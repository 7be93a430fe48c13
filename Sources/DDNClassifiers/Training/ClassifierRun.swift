import DDNFiles
import Foundation

/// A classifier's training with its files: resumes, trains, saves, and stops cleanly.
public final class ClassifierRun {
  public enum Event {
    /// After every step.
    case progress(images: Int)
    /// After every epoch; the statistics are of its augmented images.
    case epoch(images: Int, loss: Double, accuracy: Double, imagesPerSecond: Double)
    /// A file could not be written; the run continues and retries later.
    case writeFailed(FileError)
  }

  /// The newest classifier.
  public static let classifierName = "classifier.safetensors"
  /// The state to resume from.
  public static let stateName = "state.safetensors"
  private static let secondsBetweenSaves = 120.0

  public let trainer: ClassifierTrainer
  public let folder: URL
  private let lock: FolderLock

  /// Resumes from the folder's state, if there is one.
  ///
  /// - Parameters:
  ///   - trainer: before its first step.
  ///   - folder: exists.
  /// - Throws: `FileError` when another process trains in this folder, or its state is damaged or of another training.
  public init(_ trainer: ClassifierTrainer, in folder: URL) throws {
    lock = try FolderLock(folder, for: "training")
    self.trainer = trainer
    self.folder = folder
    let state = folder.appendingPathComponent(Self.stateName)
    if FileManager.default.fileExists(atPath: state.path) { try trainer.resume(from: state) }
  }

  /// Trains to the end of the run, saving every two minutes.
  ///
  /// - Parameters:
  ///   - shouldStop: called after every step; true saves and stops.
  ///   - report: called with every event.
  /// - Returns: whether the run is finished.
  /// - Throws: `ClassifierError` when training diverges; `FileError` when an image cannot be read or the last save not
  ///   be written; `TorchError`; what `report` throws.
  public func run(shouldStop: () -> Bool = { false }, report: (Event) throws -> Void = { _ in }) throws -> Bool {
    trainer.prefetch()
    var (stepStart, lastSave, epochStart) = (ContinuousClock.now, ContinuousClock.now, ContinuousClock.now)
    var epochImages = trainer.images
    while !trainer.isFinished {
      try trainer.step()
      trainer.elapsedSeconds += (.now - stepStart) / .seconds(1)
      stepStart = .now
      try report(.progress(images: trainer.images))
      if trainer.images / trainer.data.count > (trainer.images - trainer.options.batch) / trainer.data.count {
        let seconds = (.now - epochStart) / .seconds(1)
        if let statistics = try trainer.takeStatistics() {
          try report(
            .epoch(
              images: trainer.images, loss: statistics.loss, accuracy: statistics.accuracy,
              imagesPerSecond: Double(trainer.images - epochImages) / max(seconds, 1e-9)))
        }
        (epochStart, epochImages) = (.now, trainer.images)
      }
      if shouldStop() { break }
      if .now - lastSave > .seconds(Self.secondsBetweenSaves) {
        do { try save() } catch let error as FileError { try report(.writeFailed(error)) }
        lastSave = .now
      }
    }
    try save()
    return trainer.isFinished
  }

  /// Adds the accuracy on test images to the classifier's file.
  ///
  /// - Parameters:
  ///   - data: name of the test data.
  ///   - accuracy: within 0...1.
  /// - Throws: `FileError` when it cannot be written; `TorchError`.
  public func addTest(data: String, accuracy: Double) throws {
    try trainer.classifier(testData: data, testAccuracy: accuracy)
      .write(to: folder.appendingPathComponent(Self.classifierName))
  }

  private func save() throws {
    try trainer.checkWeights()
    try trainer.save(to: folder.appendingPathComponent(Self.stateName))
    try trainer.classifier().write(to: folder.appendingPathComponent(Self.classifierName))
  }
}
