import DDN
import Foundation
import Testing
import Torch

@testable import DDNTraining

@Suite("Discriminators") struct DiscriminatorTests {
  @Test("a discriminator tells images from targets, and its gradient has the length of the pixel distance's")
  func discriminator() throws {
    let target = try Tensor.normal([64, 1, 8, 8], generator: Generator(seed: 4))
    let discriminator = try Discriminator(imageShape: [1, 8, 8], seed: 1, device: .cpu)
    func step(_ images: Tensor) throws -> LevelStep {
      var step = try ObjectiveTests.step(Candidates(images: images.reshaped([64, 1, 1, 8, 8])), Target(target))
      step = LevelStep(
        candidates: step.candidates,
        output: try DiscreteDistributionLayer(
          .init(nodes: 2, imageChannels: 1, featureChannels: 1, leaksChoice: false), generator: Generator(seed: 1)
        )(
          level: 0, features: images, previous: nil, paths: .separate(samples: 64),
          chooser: GivenChooser([.zeros([64], dtype: .int64)])), target: Target(target), levels: 1, progress: 0)
      return step
    }
    let blurred = try target.resizedArea(height: 4, width: 4).resizedBilinear(height: 8, width: 8)
    try blurred.setRequiresGradient(true)
    for _ in 0..<150 {
      try discriminator.beginStep()
      _ = try discriminator.losses(of: step(blurred))
      try discriminator.finishStep()
    }
    let before = discriminator.state.mapValues { try! $0.bytes() }
    let output = try step(blurred)
    let losses = try discriminator.losses(of: output)
    #expect(try losses.absolute().maximum([0]).item() == 0)
    #expect(discriminator.state.mapValues { try! $0.bytes() } == before, "no change before the end of the step")
    try losses.sum().backward()
    // Along the gradient, scaled by the node's weight, lies what blurring took away.
    let images = try output.output.chosen.detached()
    let scale = try (images.mean([2, 3]) / blurred.detached().mean([2, 3])).reshaped([64, 1, 1, 1])
    let gradient = try #require(try blurred.gradient()) / scale
    let pixels = try (images - target) * (2.0 / 64)
    let (length, wanted) = (try gradient.squared().sum().item(), try pixels.squared().sum().item())
    #expect(abs(length / wanted - 1) < 0.01, "\(length) is not \(wanted)")

    /// The weights after one step of several batches.
    func weights(_ batches: [Tensor]) throws -> Tensor {
      let discriminator = try Discriminator(imageShape: [1, 8, 8], seed: 1, device: .cpu)
      // An abandoned step leaves nothing.
      try discriminator.beginStep()
      _ = try discriminator.losses(of: step(target * 2))
      try discriminator.beginStep()
      for batch in batches { _ = try discriminator.losses(of: step(batch)) }
      try discriminator.finishStep()
      let state = discriminator.state.filter { $0.key.hasPrefix("network/") }.sorted { $0.key < $1.key }
      return try .concatenate(state.map { try $0.value.reshaped([-1]) })
    }
    func deviation(of found: Tensor, from other: Tensor) throws -> Double {
      try (found - other).absolute().maximum([0]).item()
    }
    let others = try target * -3
    let both = try weights([blurred, others])
    #expect(try deviation(of: weights([others, blurred]), from: both) < 1e-5)
    for one in [blurred, others] { #expect(try deviation(of: weights([one]), from: both) > 1e-4) }
  }

  @Test("a training with a discriminator resumes to the same weights") func adversarialResuming() throws {
    var options = ObjectiveTests.dense()
    options.discriminatorWeight = 0.5
    let whole = try ObjectiveTests.trained(options, steps: 6)
    let scratch = try Scratch()
    let first = try ObjectiveTests.trained(options, steps: 3)
    try Checkpoint.save(
      first,
      summary: TrainingSummary(
        data: "test", images: first.images, elapsedSeconds: 1, lossOfLevels: [], perplexityOfLayers: []),
      in: scratch.url)
    let second = try Trainer(options, data: SmallTraining.data(), device: .cpu)
    _ = try Checkpoint.load(try #require(try Checkpoint.all(in: scratch.url).first), into: second)
    for _ in 0..<3 { try second.step() }
    #expect(try TrainerState(second).differences(from: TrainerState(whole)).isEmpty)
    options.discriminatorWeight = nil
    #expect(try !TrainerState(ObjectiveTests.trained(options, steps: 6)).differences(from: TrainerState(whole)).isEmpty)
  }
}
