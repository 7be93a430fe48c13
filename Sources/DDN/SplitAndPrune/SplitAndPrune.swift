import Torch

/// A distance between an image and a target was infinite or not a number: training has diverged.
public struct DistanceError: Error, CustomStringConvertible {
  public var description: String { "a distance is infinite or not a number" }
}

/// Split-and-Prune: the optimizer's evolution of the nodes.
///
/// Gradients only reach chosen nodes, so a node that is never chosen never learns, and one that is chosen too often
/// blurs what two could tell apart. After every optimizer step each layer may replace its rarest node by a copy of
/// its busiest one. The twins are identical until one of them is next chosen, which pulls them apart.
///
/// Source: paper, section 3.2 and Algorithm 1.
public struct SplitAndPrune {
  /// A split that happened.
  public struct Event: Codable, Sendable, Equatable {
    /// The layer's name in the network.
    public let layer: String
    public let split: SplitPolicy.Split
    /// Images that the layer had seen, once for each level it serves.
    public let images: Int
  }

  public let policy: SplitPolicy
  private let layers: [(name: String, layer: DiscreteDistributionLayer)]

  /// - Parameter network: the module that owns the layers, and whose parameters the optimizer holds.
  public init(policy: SplitPolicy, network: Module) {
    self.policy = policy
    layers = network.layers
  }

  /// Counts what the layers have observed and splits where the policy says so; call it after the optimizer's step.
  ///
  /// All layers' observations come to the host in one copy.
  /// - Returns: at most one event a layer.
  /// - Throws: `DistanceError` when a distance was infinite or not a number; `TorchError` when libtorch fails.
  public func step(optimizer: Adam, average: ExponentialMovingAverage? = nil) throws -> [Event] {
    try record()
    var events: [Event] = []
    for (name, layer) in layers {
      guard let split = policy.decide(layer.statistics) else { continue }
      events.append(Event(layer: name, split: split, images: layer.statistics.images))
      layer.statistics.split(donor: split.donor, pruned: split.pruned, rule: policy.rule)
      try copyNode(split, of: layer, name: name, optimizer, average)
    }
    return events
  }

  private func record() throws {
    let pending = layers.flatMap { layer in layer.layer.observations.map { (layer.layer, $0) } }
    guard !pending.isEmpty else { return }
    var parts: [Tensor] = []
    for (_, seen) in pending {
      // Node numbers are far below 2^24, so float32 holds them exactly.
      parts += [try seen.nearest.to(.float32), try seen.second.to(.float32), seen.distanceSums]
    }
    var numbers = try Tensor.concatenate(parts).array(Float.self)[...]
    for (layer, seen) in pending {
      let samples = seen.nearest.shape[0]
      let nearest = numbers.prefix(samples).map { Int($0) }
      let second = numbers.dropFirst(samples).prefix(samples).map { Int($0) }
      let sums = Array(numbers.dropFirst(2 * samples).prefix(layer.configuration.nodes))
      numbers = numbers.dropFirst(2 * samples + layer.configuration.nodes)
      guard sums.allSatisfy(\.isFinite) else { throw DistanceError() }
      layer.statistics.record(nearest: nearest, second: second, distanceSums: sums)
    }
    for (_, layer) in layers { layer.observations = [] }
  }

  /// Copies the donor's rows over the pruned node's: weights, both of Adam's moments, and the average.
  private func copyNode(
    _ split: SplitPolicy.Split, of layer: DiscreteDistributionLayer, name: String, _ optimizer: Adam,
    _ average: ExponentialMovingAverage?
  ) throws(TorchError) {
    let weightName = "\(name).weight"
    let moments = optimizer.moments(of: weightName)
    let copies = [layer.weight.tensor, moments?.mean, moments?.square, average?.state()[weightName]]
    let channels = layer.configuration.imageChannels
    try withoutGradients { () throws(TorchError) in
      for tensor in copies.compactMap({ $0 }) {
        let donor = try tensor.slice(0, split.donor * channels..<(split.donor + 1) * channels)
        try tensor.slice(0, split.pruned * channels..<(split.pruned + 1) * channels).copy(from: donor)
      }
    }
  }
}
