import DDN
import DDNData
import DDNFiles
import Foundation
import Testing
import Torch

@testable import DDNTraining

/// Runs of a few seconds on real digits.
enum SmallTraining {
  /// 9,000 digits and 1,000 others.
  static let digits = Result { try DigitDataset.shipped().split(last: 1000) }

  /// Uses everything that a checkpoint stores: chain dropout, splits, a moving average.
  static func options(
    width: Int = 2, nodes: Int = 4, images: Int = 640, seed: UInt64 = 1, isClassConditional: Bool = false,
    rule: SplitPolicy.Rule = .totalVariation, learningRate: Double = 1e-3, cooldownImages: Int = 0
  ) -> TrainingOptions {
    TrainingOptions(
      network: .recurrent(.init(baseWidth: width, nodes: nodes, repeats: 2, isClassConditional: isClassConditional)),
      images: images, batch: 32, learningRate: learningRate, cooldownImages: cooldownImages,
      averageHalfLifeImages: 200, chainDropout: 0.2, split: SplitPolicy(rule: rule), seed: seed, tickImages: 64,
      saveTicks: 2)
  }

  static func trainer(_ options: TrainingOptions = options(), onOthers: Bool = false) throws -> Trainer {
    try Trainer(options, data: try data(others: onOthers), device: .cpu)
  }

  static func data(others: Bool = false) throws -> TrainingImages {
    let (head, tail) = try digits.get()
    return try TrainingImages(others ? tail : head, device: .cpu)
  }

  static func run(_ options: TrainingOptions = options(), in parent: URL) throws -> TrainingRun {
    try TrainingRun(
      options, data: try data(), folder: .create(in: parent, name: "test", options: options), device: .cpu)
  }
}

/// A trainer's whole state, as bytes.
struct TrainerState: Equatable {
  let tensors: [String: Data]
  let statistics: [String: NodeStatistics]
  let images: Int
  let order: BatchOrder.State

  init(_ trainer: Trainer) throws {
    var tensors: [String: Data] = ["random": try trainer.dropoutGenerator.state().bytes()]
    let groups = [
      "weights": trainer.network.state(), "adam": trainer.optimizer.state(), "average": trainer.average?.state() ?? [:],
    ]
    for (group, members) in groups {
      for (name, tensor) in members { tensors["\(group)/\(name)"] = try tensor.bytes() }
    }
    self.tensors = tensors
    statistics = Dictionary(uniqueKeysWithValues: trainer.network.layers.map { ($0.name, $0.layer.statistics) })
    images = trainer.images
    order = trainer.order.state
  }

  /// Names of the tensors that differ.
  func differences(from other: TrainerState) -> [String] {
    Set(tensors.keys).union(other.tensors.keys).filter { tensors[$0] != other.tensors[$0] }.sorted()
  }
}

/// A folder that is removed with this object.
final class Scratch {
  let url = FileManager.default.temporaryDirectory.appending(path: "ddn-training-\(UUID().uuidString)")
  init() throws { try Folder.create(url) }
  deinit { try? FileManager.default.removeItem(at: url) }
}
