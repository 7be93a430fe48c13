import Torch

/// Observations of a step on several processes: each fills its places of a tensor of zeros, the tensors are added, and
/// every process reads all observations from the sum, so that all split the same nodes.
extension SplitAndPrune {
  /// The size of `observations(share:)` after a step of a network.
  ///
  /// - Parameters:
  ///   - network: whose levels are observed.
  ///   - samples: images of a forward pass of one process.
  ///   - passes: forward passes of a step.
  ///   - share: the process's.
  public static func observationCount(
    of network: any DiscreteDistributionNetwork, samples: Int, passes: Int, share: BatchShare
  ) -> Int {
    let levels = network.codeSpace.levels
    let sums = levels.reduce(0) { $0 + $1.nodes }
    return passes * (2 * levels.count * samples * share.ranks + sums)
  }

  /// The layers' observations: the nodes, `[ranks, N]` flat and zero but in this process's row, and distance sums.
  ///
  /// float32 represents node indices, far below 2^24, exactly.
  public func observations(share: BatchShare) throws(TorchError) -> Tensor {
    let pending = layers.flatMap(\.layer.observations)
    var (nodes, sums): ([Tensor], [Tensor]) = ([], [])
    for observation in pending {
      nodes += [try observation.nearest.to(.float32), try observation.second.to(.float32)]
      sums.append(observation.distanceSums)
    }
    let own = try Tensor.concatenate(nodes)  // [N]
    let all = try Tensor.zeros([share.ranks] + own.shape, device: own.device)
    try all.select(0, share.rank).copy(from: own)
    return try .concatenate([all.reshaped([-1])] + sums)
  }

  /// Replaces the layers' observations by those of all processes.
  ///
  /// - Parameters:
  ///   - sum: of all processes' `observations(share:)`.
  ///   - share: the process's.
  public func replaceObservations(with sum: Tensor, share: BatchShare) throws(TorchError) {
    let sizes = layers.flatMap(\.layer.observations).map { $0.nearest.shape[0] }
    let count = 2 * sizes.reduce(0, +)  // N
    let nodes = try sum.slice(0, 0..<share.ranks * count).reshaped([share.ranks, count])
    var (place, sumPlace) = (0, share.ranks * count)
    /// The next `size` columns, in the order of the ranks.
    func next(_ size: Int) throws(TorchError) -> Tensor {
      defer { place += size }
      return try nodes.slice(1, place..<place + size).reshaped([-1])
    }
    for (_, layer) in layers {
      let nodeCount = layer.configuration.nodes
      var merged: [DiscreteDistributionLayer.Observation] = []
      for observation in layer.observations {
        let size = observation.nearest.shape[0]
        merged.append(
          .init(
            level: observation.level, nearest: try next(size), second: try next(size),
            distanceSums: try sum.slice(0, sumPlace..<sumPlace + nodeCount)))
        sumPlace += nodeCount
      }
      layer.observations = merged
    }
  }
}
