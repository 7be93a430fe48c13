import DDN
import Foundation
import GoldenSupport
import Testing
import Torch

/// Twenty training steps against the original's, from the same weights on the same images: `Golden/G`.
@Suite("Training, compared to the original")
struct TrainingTrajectoryGoldenTests {
  struct Run: Decodable {
    struct Split: Decodable, Equatable {
      let step, images, donor, pruned: Int

      enum CodingKeys: String, CodingKey {
        case step
        case images = "iter"
        case donor = "i_split"
        case pruned = "i_disapear"
      }
    }

    let steps, batches: Int
    let isWithoutSplits: Bool
    let splits: [Split]

    enum CodingKeys: String, CodingKey {
      case steps, splits
      case batches = "n_batches"
      case isWithoutSplits = "splitting_disabled"
    }
  }

  @Test("codes, losses, splits, counters, weights and Adam's moments are the same at every step")
  func trajectory() throws { try compare("k8_L3_b16") }

  @Test("the same without splits")
  func withoutSplits() throws { try compare("k8_L3_b16_nosplit") }

  private func compare(_ name: String) throws {
    let run = try JSONDecoder().decode(Run.self, from: Data(contentsOf: Golden.url("G/\(name).json")))
    let golden = try GoldenNetwork(settings: "G/\(name).json", weights: "G/\(name)_init.safetensors")
    let file = try Golden.safetensors("G/\(name)_trajectory.safetensors")
    let network = golden.network
    let optimizer = try Adam(network, learningRate: 1e-3)
    let splitting = SplitAndPrune(
      policy: .init(rule: run.isWithoutSplits ? .none : .totalVariation), network: network)
    let images = try file.input("images")  // [batches, B, 1, 32, 32]
    let samples = images.shape[1]
    let codes = try file.indices("codes")  // [steps, L, B]
    let (losses, counts) = (try file.tensor("losses"), try file.tensor("count"))
    let (rivals, distances) = (try file.tensor("near2"), try file.tensor("loss_acc"))
    network.setMode(.training)

    var splits: [Run.Split] = []
    var undecided = Set<Int>()
    for step in 0..<run.steps {
      let target = Target(try images.select(0, step % run.batches))
      let outputs = try network.outputs(samples: samples, chooser: NearestChooser(target))
      let found = try Tensor.stack(outputs.map { try $0.losses(to: target).mean() })  // [L]
      try optimizer.clearGradients()
      try found.mean().backward()
      try optimizer.step()
      for event in try splitting.step(optimizer: optimizer) {
        splits.append(.init(step: step, images: event.images, donor: event.split.donor, pruned: event.split.pruned))
      }

      let chosen = try outputs.map { try $0.codes.array(Int.self) }
      try #require(try chosen.flatMap { $0 } == codes.select(0, step).array(), "codes, step \(step)")
      let difference = try deviation(of: found, from: losses.select(0, step))
      #expect(difference <= Tolerance.loss, "losses, step \(step)")
      let statistics = network.layers[0].layer.statistics
      #expect(try statistics.counts == counts.select(0, step).array(), "counts, step \(step)")
      undecided.formUnion(try outputs.flatMap { try nodesWithTiedRivals($0) })
      expectRivals(statistics, try rivals.select(0, step).array(), undecided, "rivals, step \(step)")
      let sums = try distances.select(0, step).array(Double.self)
      #expect(deviation(of: statistics.distanceSums, from: sums) <= Tolerance.loss, "distance sums, step \(step)")
      if step == 0 && !run.isWithoutSplits { try expectWeights(golden, "G/\(name)_after_step1.safetensors") }
    }
    #expect(splits == run.splits)
    try expectWeights(golden, "G/\(name)_final.safetensors")

    let weightName = network.layers[0].name + ".weight"
    let moments = try #require(optimizer.moments(of: weightName))
    #expect(try file.deviation(of: moments.mean, from: "final.ddo_exp_avg") <= Tolerance.gradient)
    #expect(try file.deviation(of: moments.square, from: "final.ddo_exp_avg_sq") <= Tolerance.gradient)
    #expect(try moments.step.item() == Double(run.steps))
  }

  /// Nodes that were nearest to an image with equal distances in second and third place.
  ///
  /// Twins tie exactly, and the original's partial sort chooses one of them arbitrarily as rival.
  private func nodesWithTiedRivals(_ output: LevelOutput) throws -> [Int] {
    let distances = try #require(output.distances)
    let (rows, nodes) = (try distances.array(Float.self), distances.shape[1])
    return stride(from: 0, to: rows.count, by: nodes).compactMap { start in
      let row = rows[start..<start + nodes]
      let sorted = row.sorted()
      return sorted[1] == sorted[2] ? row.firstIndex(of: sorted[0])! - start : nil
    }
  }

  /// All rows of the matrix must be equal; for undecided nodes only their sums.
  private func expectRivals(
    _ statistics: NodeStatistics, _ golden: [Double], _ undecided: Set<Int>, _ comment: Comment
  ) {
    for node in 0..<statistics.nodes {
      let range = node * statistics.nodes..<(node + 1) * statistics.nodes
      let (found, expected) = (statistics.rivalCounts[range], golden[range])
      #expect(undecided.contains(node) ? found.reduce(0, +) == expected.reduce(0, +) : found == expected, comment)
    }
  }

  /// Compares the file's weights; the file after the first step lacks the large ones.
  private func expectWeights(_ golden: GoldenNetwork, _ path: String) throws {
    let file = try Golden.safetensors(path)
    var compared = 0
    for (name, tensor) in try golden.comparableParameters() where file.entries[name] != nil {
      compared += 1
      let difference = try (tensor.detached() - file.input(name)).absolute().array(Double.self).max() ?? .infinity
      #expect(difference <= Tolerance.trainedWeight, "\(name) in \(path)")
    }
    let isLeftOut = { (name: String) in
      name.contains(".te1.") || name.hasSuffix(".split_idxs") || name.hasSuffix("class_embed.weight")
    }
    #expect(compared == file.entries.keys.filter { !isLeftOut($0) }.count)
  }
}
