import DDN
import GoldenSupport
import Testing
import Torch

/// Compared bit for bit to the original's `F/split_weights_adam`.
@Suite("Copies of a split, compared to the original")
struct SplitCopyGoldenTests {
  static let cases = [("k8_pc1", 8, 1, 4), ("k8_pc3", 8, 3, 4), ("k64_pc3", 64, 3, 5)]

  @Test("the donor's weights and Adam moments replace the pruned node's", arguments: cases)
  func copies(name: String, nodes: Int, channels: Int, inputs: Int) throws {
    let file = try Golden.safetensors("F/split_weights_adam.safetensors")
    let layer = try DiscreteDistributionLayer(
      .init(nodes: nodes, imageChannels: channels, featureChannels: inputs, leaksChoice: false),
      generator: Generator(seed: 0))
    let holder = LayerHolder(layer)
    try holder.move(to: Golden.device)
    let optimizer = try Adam(holder, learningRate: 1e-3)
    let average = try ExponentialMovingAverage(holder)
    let moments = try #require(optimizer.moments(of: "nodes.weight"))
    let averaged = try #require(average.state()["nodes.weight"])
    let tensors = [
      ("weight", layer.weight.tensor), ("exp_avg", moments.mean), ("exp_avg_sq", moments.square),
      ("step", moments.step),
    ]
    try withoutGradients {
      for (key, tensor) in tensors { try tensor.copy(from: file.tensor("\(name).before.\(key)")) }
      try averaged.copy(from: layer.weight.tensor)
    }
    let counts = try file.floats("\(name).count").map { Double($0) }
    layer.statistics = NodeStatistics(
      counts: counts, rivalCounts: try file.floats("\(name).near2").map { Double($0) },
      distanceSums: counts.map { _ in 0 }, images: Int(counts.reduce(0, +)))

    let splitting = SplitAndPrune(policy: .init(), network: holder)
    let events = try splitting.step(optimizer: optimizer, average: average)
    #expect(events.map(\.layer) == ["nodes"])
    #expect(events.map(\.split) == [.init(donor: nodes - 1, pruned: 2)])
    for (key, tensor) in tensors {
      #expect(try tensor.bytes() == file.tensor("\(name).after.\(key)").bytes(), "\(key)")
    }
    #expect(try averaged.bytes() == layer.weight.tensor.bytes(), "the moving average")
    #expect(layer.weight.tensor.requiresGradient)
  }
}
