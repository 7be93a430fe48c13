import DDN
import Torch

/// What the ranks of a group add up in a training step: gradients, losses, node observations, and requests to stop.
///
/// Everything is in one flat float32 tensor of a fixed layout, so that a step has one operation of the group, whose sums
/// have the same bits on all ranks.
final class StepExchange {
  let group: ProcessGroup
  let share: BatchShare
  private let parameters: [Tensor]
  private let splitAndPrune: SplitAndPrune
  private let device: Device
  private let (weights, levels, observations): (Int, Int, Int)

  /// - Parameters:
  ///   - group: of all ranks.
  ///   - network: the same on all ranks.
  ///   - splitAndPrune: of the network.
  ///   - samples: images of a forward pass of one rank.
  ///   - passes: forward passes of a step.
  init(
    _ group: ProcessGroup, network: any DiscreteDistributionNetwork, splitAndPrune: SplitAndPrune, samples: Int,
    passes: Int
  ) {
    self.group = group
    share = BatchShare(rank: group.rank, ranks: group.ranks)
    self.splitAndPrune = splitAndPrune
    device = network.device
    parameters = network.namedParameters().filter(\.parameter.isTrainable).map(\.parameter.tensor)
    weights = parameters.reduce(0) { $0 + $1.count }
    levels = network.codeSpace.levels.count
    observations = SplitAndPrune.observationCount(of: network, samples: samples, passes: passes, share: share)
  }

  /// Bytes that a rank gives in a step.
  var byteCount: Int { 4 * (weights + parameters.count + 1 + levels + observations) }

  /// Replaces gradients and observations by those of all ranks.
  ///
  /// - Parameter losses: `[L]`, of this rank's images; nil when it has abandoned the step.
  /// - Returns: `[L]`, the mean over ranks; nil when any rank has abandoned the step, and nothing was replaced.
  func callAsFunction(losses: Tensor?) throws -> Tensor? {
    try withoutGradients {
      let sum = try losses.map(contribution) ?? abandonment()
      try group.sum(sum)
      var place = 0
      func next(_ count: Int) throws -> Tensor {
        defer { place += count }
        return try sum.slice(0, place..<place + count)
      }
      let flags = try next(parameters.count + 1).array(Float.self)
      guard flags[parameters.count] == 0 else { return nil }
      let losses = try next(levels) * (1 / Double(group.ranks))
      try splitAndPrune.replaceObservations(with: next(observations), share: share)
      for (parameter, ranksWithGradient) in zip(parameters, flags) {
        let gradient = try next(parameter.count)
        // Without a gradient on any rank Adam skips the parameter, as in a single process.
        if ranksWithGradient > 0 { try parameter.setGradient(gradient.reshaped(parameter.shape)) }
      }
      return losses
    }
  }

  private func contribution(_ losses: Tensor) throws -> Tensor {
    var (flags, gradients): ([Float], [Tensor]) = ([], [])
    for parameter in parameters {
      let gradient = try parameter.gradient()
      flags.append(gradient == nil ? 0 : 1)
      gradients.append(try gradient?.reshaped([-1]) ?? .zeros([parameter.count], device: device))
    }
    flags.append(0)
    let sum = try Tensor.concatenate(
      [Tensor(flags, shape: [flags.count]).to(device), losses, splitAndPrune.observations(share: share)] + gradients)
    precondition(sum.count * 4 == byteCount, "a step of another size")
    return sum
  }

  /// Zeros, and the request to stop.
  private func abandonment() throws -> Tensor {
    let sum = try Tensor.zeros([byteCount / 4], device: device)
    try sum.slice(0, parameters.count..<parameters.count + 1).copy(from: .full([1], 1, device: device))
    return sum
  }
}
