import Torch

/// A distance is not finite: training has diverged.
public struct DistanceError: Error, CustomStringConvertible {
  public var description: String { "a distance is not finite" }
}

/// Split-and-Prune, an evolutionary step beside the optimizer's.
///
/// Gradients reach only chosen nodes, so an unused node never learns, and an overused one averages images that two
/// nodes could separate. After every optimizer step each layer may overwrite its rarest node with a copy of its busiest
/// one. The twins are identical until gradients of later choices separate them.
///
/// Source: paper, section 3.2 and Algorithm 1.
public struct SplitAndPrune {
  /// One split.
  public struct Event: Codable, Sendable, Equatable {
    /// The layer's name in the network.
    public let layer: String
    public let split: SplitPolicy.Split
    /// Images recorded by the layer before the split, once per level that shares it.
    public let images: Int
  }

  public let policy: SplitPolicy
  let layers: [(name: String, layer: DiscreteDistributionLayer)]

  /// - Parameters:
  ///   - policy: decides when a layer splits.
  ///   - network: owns the layers and the optimizer's parameters.
  public init(policy: SplitPolicy, network: Module) {
    self.policy = policy
    layers = network.layers
  }

  /// Records the layers' observations and splits nodes by the policy; call it after each optimizer step.
  ///
  /// Copies all observations to the host at once.
  /// - Parameters:
  ///   - optimizer: of the network.
  ///   - average: the moving average of the network's weights, if any.
  ///   - observe: called with each observation: a level and `[B]`, the nearest node of each image.
  /// - Returns: at most one event per layer.
  /// - Throws: `DistanceError` when a distance is not finite; `TorchError` when libtorch fails.
  public func step(
    optimizer: Adam, average: ExponentialMovingAverage? = nil,
    observe: (_ level: Int, _ nearest: [Int]) -> Void = { _, _ in }
  ) throws -> [Event] {
    try record(observe)
    var events: [Event] = []
    for (name, layer) in layers where layer.gains == nil {  // A node with gains is no row of the weights.
      guard let split = policy.decide(layer.statistics) else { continue }
      events.append(Event(layer: name, split: split, images: layer.statistics.images))
      layer.statistics.split(donor: split.donor, pruned: split.pruned, rule: policy.rule)
      try copyNode(split, of: layer, name: name, optimizer, average)
    }
    return events
  }

  private func record(_ observe: (_ level: Int, _ nearest: [Int]) -> Void) throws {
    let pending = layers.flatMap { layer in layer.layer.observations.map { (layer.layer, $0) } }
    guard !pending.isEmpty else { return }
    var parts: [Tensor] = []
    for (_, observation) in pending {
      // float32 represents node indices, far below 2^24, exactly.
      parts += [try observation.nearest.to(.float32), try observation.second.to(.float32), observation.distanceSums]
    }
    var numbers = try Tensor.concatenate(parts).array(Float.self)[...]
    for (layer, observation) in pending {
      let samples = observation.nearest.shape[0]
      let nearest = numbers.prefix(samples).map { Int($0) }
      let second = numbers.dropFirst(samples).prefix(samples).map { Int($0) }
      let sums = Array(numbers.dropFirst(2 * samples).prefix(layer.configuration.nodes))
      numbers = numbers.dropFirst(2 * samples + layer.configuration.nodes)
      guard sums.allSatisfy(\.isFinite) else { throw DistanceError() }
      layer.statistics.record(nearest: nearest, second: second, distanceSums: sums)
      observe(observation.level, nearest)
    }
    for (_, layer) in layers { layer.observations = [] }
  }

  /// Overwrites the pruned node's rows of the weights, both of Adam's moments and the moving average.
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
