import DDN
import Torch

/// One layer of nodes on random features.
public struct LayerWork: Encodable, Sendable {
  public enum Job: String, Encodable, Sendable {
    /// Evaluation with a target, without gradients.
    case forward
    /// The layer's part of a training step: choice, gradients, Split-and-Prune's counters.
    case training
  }

  public let job: Job
  /// K.
  public let nodes: Int
  /// C, channels of the images.
  public let channels: Int
  /// F, channels that one node reads; with leak choice the features have twice as many.
  public let nodeInputs: Int
  /// Pixels on a side of the images.
  public let side: Int
  public let batch: Int
  /// Whether nodes compute residuals.
  public let learnsResidual: Bool

  init(_ job: Job, nodes: Int, channels: Int, nodeInputs: Int, side: Int, batch: Int) {
    self.job = job
    self.nodes = nodes
    self.channels = channels
    self.nodeInputs = nodeInputs
    self.side = side
    self.batch = batch
    learnsResidual = channels == 3  // Like the colour networks, unlike the MNIST network.
  }

  var name: String { "layer K=\(nodes) C=\(channels) F=\(nodeInputs) \(side)x\(side) B=\(batch) \(job.rawValue)" }

  private var configuration: DiscreteDistributionLayer.Configuration {
    .init(
      nodes: nodes, imageChannels: channels, featureChannels: 2 * nodeInputs, leaksChoice: true,
      learnsResidual: learnsResidual)
  }

  func prepare(_ machine: Machine) throws -> PreparedRow {
    let generator = try Generator(seed: 0)
    let owner = try LayerOwner(configuration, generator: generator)
    try owner.move(to: machine.device)
    let layer = owner.layer
    func normal(_ channels: Int) throws -> Tensor {
      try Tensor.normal([batch, channels, side, side], generator: generator).to(machine.device)
    }
    let (features, previous) = (try normal(2 * nodeInputs), try normal(channels))
    let images = try (Tensor.uniform([batch, channels, side, side], generator: generator) * 2) - 1
    let target = Target(try images.to(machine.device))

    func choose() throws -> LevelOutput {
      try layer(
        level: 1, features: features, previous: previous, paths: .separate(samples: batch),
        chooser: NearestChooser(target))
    }
    func backward(_ output: LevelOutput) throws {
      try (output.losses(to: target).mean() + output.leakedChoice!.mean()).backward()
    }
    func clearGradients() throws {
      try features.clearGradient()
      try layer.weight.tensor.clearGradient()
    }

    let run: () throws -> Void
    switch job {
    case .forward:
      run = { _ = try withoutGradients { try choose() } }
    case .training:
      owner.setMode(.training)
      try features.setRequiresGradient(true)
      let optimizer = try Adam(owner, learningRate: 0)
      let counters = SplitAndPrune(policy: SplitPolicy(rule: .none), network: owner)
      run = {
        let output = try choose()
        try withPrecision(.float32, on: machine.device) { try backward(output) }
        try clearGradients()
        _ = try counters.step(optimizer: optimizer)
      }
    }

    return PreparedRow(
      makeCase: {
        let output = try choose()
        var tensors = [
          "weights.multi_out_conv1x1.weight": layer.weight.tensor, "input.features": features,
          "input.previous": previous, "input.target": target.images, "expected.codes": output.codes,
          "expected.images": try output.images, "expected.leak": output.leakedChoice!,
          "expected.losses": try output.losses(to: target),
        ]
        if job == .training {
          try backward(output)
          tensors["expected.gradientOfFeatures"] = try features.gradient()!.cloned()
          tensors["expected.gradientOfWeights"] = try layer.weight.tensor.gradient()!.cloned()
          try clearGradients()
        }
        return tensors
      }, run: run)
  }
}

/// Split-and-Prune takes a module that contains layers.
private final class LayerOwner: Module {
  let layer: DiscreteDistributionLayer

  init(_ configuration: DiscreteDistributionLayer.Configuration, generator: Generator) throws(TorchError) {
    layer = try DiscreteDistributionLayer(configuration, generator: generator)
  }
}
