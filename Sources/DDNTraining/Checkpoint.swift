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
    var elapsedSeconds: Double
    var order: BatchOrder.State
  }

  private static let modelFile = "model.safetensors"
  private static let trainingFile = "training.safetensors"

  /// The folder that holds the state after `images` images, in `folder`.
  static func url(in folder: URL, images: Int) -> URL {
    folder.appendingPathComponent("state-" + zeroPadded(images, digits: 10))
  }

  /// Saved states in a run folder, oldest first.
  public static func all(in folder: URL) -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []  // None yet: no folder.
    return names.filter { $0.hasPrefix("state-") && Int($0.dropFirst(6)) != nil }.sorted()
      .map { folder.appendingPathComponent($0) }
  }

  /// Saves a trainer whole or not at all; a state of the same number of images stays as it is.
  public static func save(_ trainer: Trainer, summary: TrainingSummary, in folder: URL) throws {
    let url = url(in: folder, images: trainer.images)
    guard !FileManager.default.fileExists(atPath: url.path) else { return }
    try Folder.createWhole(url) { folder in
      try Model(configuration: trainer.options.network, network: trainer.network, training: summary)
        .write(to: folder.appendingPathComponent(modelFile))
      let progress = Progress(
        images: trainer.images, elapsedSeconds: summary.elapsedSeconds, order: trainer.order.state)
      try SafetensorsFile.write(
        tensors(of: trainer),
        metadata: ["progress": String(decoding: try JSONEncoder().encode(progress), as: UTF8.self)],
        to: folder.appendingPathComponent(trainingFile))
    }
  }

  /// Puts a trainer, made with the same options, where a saved one was.
  ///
  /// - Returns: the seconds of training that went into the state.
  /// - Throws: `FileError` when a file is missing, damaged or of another configuration.
  public static func load(_ url: URL, into trainer: Trainer) throws -> Double {
    let model = try SafetensorsFile(contentsOf: url.appendingPathComponent(modelFile))
    let file = try SafetensorsFile(contentsOf: url.appendingPathComponent(trainingFile))
    func refuse(_ problem: String) -> FileError {
      FileError(.invalid, path: file.url.path, problem: problem, remedy: "resume from an older state, or start anew")
    }
    guard let text = file.metadata["progress"],
      let progress = try? JSONDecoder().decode(Progress.self, from: Data(text.utf8)),
      progress.images >= 0, progress.elapsedSeconds >= 0
    else { throw refuse("does not say how far training is") }
    guard progress.order.count == trainer.data.count else {
      throw refuse("was trained on \(progress.order.count) images, and the data has \(trainer.data.count)")
    }
    try model.load(into: trainer.network.state())

    var statistics: [String: Tensor] = [:]
    for name in file.entries.keys where name.hasPrefix(statisticsPrefix) { statistics[name] = try file.tensor(name) }
    let random = try trainer.dropoutGenerator.state().cloned()
    let others = editableTensors(of: trainer).merging([randomName: random]) { $1 }
    try file.load(into: others.merging(statistics) { $1 })
    do throws(TorchError) { try trainer.dropoutGenerator.setState(random) } catch {
      throw refuse("its random state is not one")
    }
    for (name, layer) in trainer.network.layers {
      layer.statistics = try NodeStatistics(
        named: statisticsPrefix + name, in: statistics, nodes: layer.configuration.nodes, refuse: refuse)
    }
    trainer.order = BatchOrder(resuming: progress.order)
    trainer.images = progress.images
    return progress.elapsedSeconds
  }

  /// Removes all but the newest `count` states.
  static func keepNewest(_ count: Int, in folder: URL) throws {
    for url in all(in: folder).dropLast(count) {
      // A half-removed state must not look like a whole one.
      let doomed = folder.appendingPathComponent(".\(url.lastPathComponent).removed")
      try FileManager.default.moveItem(at: url, to: doomed)
      try FileManager.default.removeItem(at: doomed)
    }
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
func zeroPadded(_ number: Int, digits: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(0, digits - text.count)) + text
}
