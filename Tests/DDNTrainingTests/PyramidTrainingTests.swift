import DDN
import DDNData
import Foundation
import Testing
import Torch

@testable import DDNTraining

@Suite("Training a pyramid") struct PyramidTrainingTests {
  static func options(_ conditions: [ConditionKind] = [], images: Int = 1600) -> TrainingOptions {
    var options = SmallTraining.options(images: images, learningRate: 2e-3)
    options.network = .pyramid(
      .init(
        resolution: 32, imageChannels: 1, channelMaximum: 8, maxBlocks: 2, maxNodes: 4, conditions: conditions))
    return options
  }

  static let conditions: [[ConditionKind]] = [
    [], [.classNumber(of: 10)], [.gray, .edges], [.lowResolution(side: 8)],
  ]

  @Test("the loss of every level falls on real digits, and nodes split", arguments: conditions)
  func lossFalls(conditions: [ConditionKind]) throws {
    let trainer = try SmallTraining.trainer(Self.options(conditions))
    for _ in 0..<5 { try trainer.step() }
    let before = try trainer.takeLosses()
    for _ in 0..<40 { try trainer.step() }
    _ = try trainer.takeLosses()
    for _ in 0..<5 { try trainer.step() }
    let after = try trainer.takeLosses()
    #expect(before.count == 11)
    for (early, late) in zip(before, after) { #expect(late < 0.9 * early, "\(early) to \(late)") }
    let splits = trainer.network.layers.map { $0.layer.statistics.splitImages.count }
    #expect(splits.count == 11 && splits.filter { $0 > 0 }.count > 5, "\(splits)")
    #expect(trainer.perplexities.allSatisfy { (1...4).contains($0) })
  }

  @Test("a checkpoint resumes bit-identically, including random conditions", arguments: conditions)
  func checkpoint(conditions: [ConditionKind]) throws {
    let scratch = try Scratch()
    let options = Self.options(conditions, images: 640)
    let first = try SmallTraining.trainer(options)
    for _ in 0..<3 { try first.step() }
    let summary = TrainingSummary(
      data: "digits", images: first.images, elapsedSeconds: 1, lossOfLevels: try first.takeLosses(),
      perplexityOfLayers: first.perplexities)
    try Checkpoint.save(first, summary: summary, in: scratch.url)

    let second = try SmallTraining.trainer(options)
    let state = Checkpoint.url(in: scratch.url, images: first.images)
    #expect(try Checkpoint.load(state, into: second) == summary)
    for _ in 0..<3 {
      let (one, other) = (try first.step(), try second.step())
      #expect(one == other)
    }
    let (one, other) = (try TrainerState(first), try TrainerState(second))
    #expect(one.differences(from: other) == [] && one == other)

    let model = try Model(contentsOf: state.appending(path: "model.safetensors"))
    #expect(model.configuration == options.network && model.training == summary)
    #expect(model.network.conditions == conditions)
  }

  @Test("random images match their low-resolution condition")
  func obedience() throws {
    let options = Self.options([.lowResolution(side: 4)], images: 6400)
    let trainer = try SmallTraining.trainer(options)
    while trainer.images < options.images { try trainer.step() }
    trainer.network.setMode(.evaluation)
    let sources = try trainer.data.batch(Array(0..<64)).images
    let codes = (0..<64).map { LatentCode(seed: UInt64($0), in: trainer.network.codeSpace) }
    let small = try trainer.network.decode(codes, sources: sources).resizedArea(height: 4, width: 4)
    let goal = try sources.resizedArea(height: 4, width: 4)
    // The same images, compared to other conditions.
    let others = try goal.gathered(Tensor((0..<64).map { ($0 + 1) % 64 }, shape: [64]))
    let (error, errorToOthers) = (
      try (small - goal).squared().mean().item(), try (small - others).squared().mean().item()
    )
    #expect(error < 0.5 * errorToOthers, "\(error) to the condition, \(errorToOthers) to other conditions")
  }

  @Test("a conditional network can start from the weights of an unconditional one")
  func transfer() throws {
    let scratch = try Scratch()
    let (source, trainer) = (
      try SmallTraining.trainer(Self.options()), try SmallTraining.trainer(Self.options([.gray]))
    )
    try source.step()
    let file = scratch.url.appending(path: "source.safetensors")
    try Model(configuration: source.options.network, network: source.network).write(to: file)
    #expect(source.options.network.weightDifference(from: trainer.options.network) == nil)
    try trainer.transfer(from: file)
    for (name, tensor) in source.network.state() {
      #expect(try tensor.bytes() == trainer.network.state()[name]?.bytes(), "\(name)")
    }
  }
}
