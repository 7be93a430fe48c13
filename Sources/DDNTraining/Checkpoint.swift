import DDN
import DDNData
import DDNFiles
import Foundation
import Torch

/// A saved trainer: the folder `state-<images>`, from which training goes on as if it had never stopped.
///
/// It holds `model.safetensors`, a model like any other, and `training.safetensors` with the rest: Adam's moments,
/// the moving average, the node statistics and the state of the random numbers, and in its metadata how far the
/// order of the images is.
public enum Checkpoint {
  /// What a checkpoint says besides tensors.
  struct Progress: Codable {
    var images: Int
    var order: BatchOrder.State
  }

  private static let modelFile = "model.safetensors"
  private static let trainingFile = "training.safetensors"

  /// The folder that holds the state after `images` images, in `folder`.
  static func url(in folder: URL, images: Int) -> URL {
    folder.appendingPathComponent("state-" + zeroPadded(images, digits: 10))
  }

  /// Saved states in a run folder, oldest first.
  public static func all(in folder: URL) throws -> [URL] {
    try Folder.names(in: folder)
      .compactMap { name in name.hasPrefix("state-") ? Int(name.dropFirst(6)).map { (images: $0, name: name) } : nil }
      .sorted { $0.images < $1.images }
      .map { folder.appendingPathComponent($0.name) }
  }

  /// Saves a trainer whole or not at all; a state of the same number of images stays as it is.
  public static func save(_ trainer: Trainer, summary: TrainingSummary, in folder: URL) throws {
    let url = url(in: folder, images: trainer.images)
    guard !FileManager.default.fileExists(atPath: url.path) else { return }
    try Folder.createWhole(url) { folder in
      try Model(configuration: trainer.options.network, network: trainer.network, training: summary)
        .write(to: folder.appendingPathComponent(modelFile))
      let progress = Progress(images: trainer.images, order: trainer.order.state)
      try SafetensorsFile.write(
        tensors(of: trainer),
        metadata: ["progress": String(decoding: try JSONEncoder().encode(progress), as: UTF8.self)],
        to: folder.appendingPathComponent(trainingFile))
    }
  }

  /// A saved state whose files are whole; it may still be of another training.
  struct Saved {
    let url: URL
    let model: SafetensorsFile
    let training: SafetensorsFile
    let progress: Progress
    /// What the model's card says.
    let summary: TrainingSummary

    /// Reads and verifies all of a state but its numbers.
    ///
    /// - Throws: `FileError`: `missing` when it lacks a file, `invalid` when one is damaged, `failed` when the system
    ///   refuses to read it.
    init(contentsOf url: URL) throws {
      self.url = url
      model = try SafetensorsFile(contentsOf: url.appendingPathComponent(modelFile))
      training = try SafetensorsFile(contentsOf: url.appendingPathComponent(trainingFile))
      try model.verifyChecksum()
      try training.verifyChecksum()
      func decode<T: Decodable>(_ type: T.Type, _ key: String, in file: SafetensorsFile) -> T? {
        file.metadata[key].flatMap { try? JSONDecoder().decode(type, from: Data($0.utf8)) }
      }
      guard let progress = decode(Progress.self, "progress", in: training),
        let summary = decode(TrainingSummary.self, "training", in: model),
        progress.images == progress.order.drawn, progress.images == summary.images
      else {
        throw FileError(
          .invalid, path: training.url.path, problem: "does not say how far training is",
          remedy: "remove \(url.lastPathComponent) to resume from an older state, or start anew")
      }
      (self.progress, self.summary) = (progress, summary)
    }
  }

  /// Puts a trainer, made with the same options, where the one saved at `url` was.
  ///
  /// - Returns: what the saved model's card says.
  /// - Throws: `FileError` when a file is missing, damaged or of another configuration; then nothing was changed.
  public static func load(_ url: URL, into trainer: Trainer) throws -> TrainingSummary {
    let saved = try Saved(contentsOf: url)
    try load(saved, into: trainer)
    return saved.summary
  }

  /// - Throws: `FileError` (`invalid`) when the state is of another configuration, data set or seed, or its statistics or
  ///   random state are impossible; then nothing was changed.
  static func load(_ saved: Saved, into trainer: Trainer) throws {
    let (model, file, progress) = (saved.model, saved.training, saved.progress)
    func refuse(_ problem: String) -> FileError {
      FileError(
        .invalid, path: file.url.path, problem: problem,
        remedy: "remove \(saved.url.lastPathComponent) to resume from an older state, or start anew")
    }
    guard progress.order.count == trainer.data.count else {
      throw refuse("was trained on \(progress.order.count) images, and the data has \(trainer.data.count)")
    }
    guard progress.order.seed == trainer.order.state.seed else { throw refuse("was trained with another seed") }

    var statistics: [String: Tensor] = [:]
    for name in file.entries.keys where name.hasPrefix(statisticsPrefix) { statistics[name] = try file.tensor(name) }
    let layers = try trainer.network.layers.map { name, layer in
      (
        layer,
        try NodeStatistics(
          named: statisticsPrefix + name, in: statistics, nodes: layer.configuration.nodes, refuse: refuse)
      )
    }
    let random = try trainer.dropoutGenerator.state().cloned()
    guard file.entries[randomName]?.shape == random.shape else {
      throw refuse("was saved on another kind of device; choose that with --device")
    }
    let others = editableTensors(of: trainer).merging([randomName: random]) { $1 }.merging(statistics) { $1 }
    try model.check(fits: trainer.network.state())
    try file.check(fits: others)

    let before = try trainer.dropoutGenerator.state()
    do {
      try random.copy(from: try file.tensor(randomName))
      try trainer.dropoutGenerator.setState(random)
    } catch {
      try trainer.dropoutGenerator.setState(before)
      throw refuse("its random state is not one")
    }
    try model.load(into: trainer.network.state())
    try file.load(into: others)
    for (layer, statistics) in layers { layer.statistics = statistics }
    trainer.order = BatchOrder(resuming: progress.order)
    trainer.images = progress.images
  }

  /// Removes all but the newest `count` states.
  static func keepNewest(_ count: Int, in folder: URL) throws {
    for url in try all(in: folder).dropLast(count) { try Folder.remove(url) }
  }

  private static let statisticsPrefix = "statistics/"
  private static let randomName = "random"

  private static func tensors(of trainer: Trainer) throws -> [String: Tensor] {
    var tensors = editableTensors(of: trainer)
    for (name, layer) in trainer.network.layers {
      tensors.merge(try layer.statistics.tensors(named: statisticsPrefix + name)) { $1 }
    }
    tensors[randomName] = try trainer.dropoutGenerator.state()
    return tensors
  }

  /// The tensors that loading fills in place.
  private static func editableTensors(of trainer: Trainer) -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for (name, tensor) in trainer.optimizer.state() { tensors["adam/\(name)"] = tensor }
    for (name, tensor) in trainer.average?.state() ?? [:] { tensors["average/\(name)"] = tensor }
    return tensors
  }
}

/// A number as file names hold it, so that names sort by number.
public func zeroPadded(_ number: Int, digits: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(0, digits - text.count)) + text
}
