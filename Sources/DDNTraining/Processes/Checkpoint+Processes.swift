import DDN
import DDNFiles
import Foundation
import Torch

extension Checkpoint {
  /// Gives rank 0's state to the trainers of all ranks, so that only rank 0 reads and writes files.
  ///
  /// - Throws: `ProcessGroupError` when a process is lost; `TorchError`.
  static func share(_ trainer: Trainer, over group: ProcessGroup) throws {
    let progress = try JSONDecoder().decode(
      Progress.self,
      from: group.broadcast(JSONEncoder().encode(Progress(images: trainer.images, order: trainer.order.state))))
    let tensors = trainer.network.state().merging(mutableTensors(of: trainer)) { $1 }
    try withoutGradients {
      for (_, tensor) in tensors.sorted(by: { $0.key < $1.key }) { try group.broadcast(tensor.detached()) }
    }
    var others = ["random": try trainer.dropoutGenerator.state()]
    for (name, layer) in trainer.network.layers {
      others.merge(try layer.statistics.tensors(named: statisticsPrefix + name)) { $1 }
    }
    others = try group.broadcast(others)
    if group.isMain { return }
    try trainer.dropoutGenerator.setState(others["random"]!)
    for (name, layer) in trainer.network.layers {
      layer.statistics = try NodeStatistics(
        named: statisticsPrefix + name, in: others, nodes: layer.configuration.nodes
      ) {
        FileError(.invalid, path: "rank 0", problem: "sent statistics that do not fit: \($0)", remedy: "start again")
      }
    }
    trainer.move(to: progress)
  }
}
