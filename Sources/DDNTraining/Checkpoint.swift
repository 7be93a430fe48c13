import DDN
import DDNData
import DDNFiles
import Foundation
import Torch

/// A saved training state, the folder `state-<images>`; resuming from it gives the same weights as an uninterrupted
/// run.
///
/// `model.safetensors` is a regular model. `training.safetensors` holds Adam's moments, the moving average, the node
/// statistics and the random state, and in its metadata the position in the order of the images.
public enum Checkpoint {
  /// A checkpoint's metadata.
  struct Progress: Codable {
    var images: Int
    var order: BatchOrder.State
  }

  private static let modelFile = "model.safetensors"
  private static let trainingFile = "training.safetensors"

  /// The path of the state after `images` images.
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

  /// Saves a trainer atomically; keeps an existing state of the same number of images.
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

  /// A saved state with intact files; it may still belong to another training.
  struct Saved {
    let url: URL
    let model: SafetensorsFile
    let training: SafetensorsFile
    let progress: Progress
    let summary: TrainingSummary

    /// Opens a state and verifies its checksums.
    ///
    /// - Throws: `FileError`: `missing` when it lacks a file, `invalid` when one is damaged, `failed` when one cannot
    ///   be read.
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
          .invalid, path: training.url.path, problem: "has no valid progress in its metadata",
          remedy: "remove \(url.lastPathComponent) to resume from an older state, or start a new run")
      }
      (self.progress, self.summary) = (progress, summary)
    }
  }

  /// Restores a trainer of the same options from the state at `url`.
  ///
  /// - Returns: the saved model's summary.
  /// - Throws: `FileError` when a file is missing, damaged or of another configuration; the trainer is then unchanged.
  public static func load(_ url: URL, into trainer: Trainer) throws -> TrainingSummary {
    let saved = try Saved(contentsOf: url)
    try load(saved, into: trainer)
    return saved.summary
  }

  /// - Throws: `FileError` (`invalid`) when the state is of another configuration, data set or seed, or its statistics
  ///   or random state are invalid; the trainer is then unchanged.
  static func load(_ saved: Saved, into trainer: Trainer) throws {
    let (model, file, progress) = (saved.model, saved.training, saved.progress)
    func invalid(_ problem: String) -> FileError {
      FileError(
        .invalid, path: file.url.path, problem: problem,
        remedy: "remove \(saved.url.lastPathComponent) to resume from an older state, or start a new run")
    }
    guard progress.order.count == trainer.data.count else {
      throw invalid("was trained on \(progress.order.count) images, but the data set has \(trainer.data.count)")
    }
    guard progress.order.drawn % trainer.order.ranks == 0 else {
      throw invalid("is after \(progress.images) images, which \(trainer.order.ranks) ranks do not share equally")
    }
    guard progress.order.seed == trainer.order.state.seed else { throw invalid("was trained with another seed") }

    var statistics: [String: Tensor] = [:]
    for name in file.entries.keys where name.hasPrefix(statisticsPrefix) { statistics[name] = try file.tensor(name) }
    let layers = try trainer.network.layers.map { name, layer in
      (
        layer,
        try NodeStatistics(
          named: statisticsPrefix + name, in: statistics, nodes: layer.configuration.nodes, error: invalid)
      )
    }
    let random = try trainer.dropoutGenerator.state().cloned()
    guard file.entries[randomName]?.shape == random.shape else {
      throw invalid("was saved on another kind of device; select it with --device")
    }
    let others = mutableTensors(of: trainer).merging([randomName: random]) { $1 }.merging(statistics) { $1 }
    try model.check(fits: trainer.network.state())
    try file.check(fits: others)

    let before = try trainer.dropoutGenerator.state()
    do {
      try random.copy(from: try file.tensor(randomName))
      try trainer.dropoutGenerator.setState(random)
    } catch {
      try trainer.dropoutGenerator.setState(before)
      throw invalid("has an invalid random state")
    }
    try model.load(into: trainer.network.state())
    try file.load(into: others)
    for (layer, statistics) in layers { layer.statistics = statistics }
    trainer.move(to: progress)
  }

  /// Removes all but the newest `count` states.
  static func keepNewest(_ count: Int, in folder: URL) throws {
    for url in try all(in: folder).dropLast(count) { try Folder.remove(url) }
  }

  static let statisticsPrefix = "statistics/"
  private static let randomName = "random"

  private static func tensors(of trainer: Trainer) throws -> [String: Tensor] {
    var tensors = mutableTensors(of: trainer)
    for (name, layer) in trainer.network.layers {
      tensors.merge(try layer.statistics.tensors(named: statisticsPrefix + name)) { $1 }
    }
    tensors[randomName] = try trainer.dropoutGenerator.state()
    return tensors
  }

  /// The tensors that loading writes in place.
  static func mutableTensors(of trainer: Trainer) -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for (name, tensor) in trainer.optimizer.state() { tensors["adam/\(name)"] = tensor }
    for (name, tensor) in trainer.average?.state() ?? [:] { tensors["average/\(name)"] = tensor }
    for (name, tensor) in trainer.objective.state { tensors["objective/\(name)"] = tensor }
    return tensors
  }
}
