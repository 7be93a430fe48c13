import DDN
import DDNImport
import Foundation
import GoldenSupport
import Testing
import Torch

/// Files written by the original program, and its own dumps of their content: `Golden/H`.
@Suite("The original's files are read exactly") struct SnapshotGoldenTests {
  static let names = ["uncond", "class10", "edge"].flatMap { [$0, "\($0)_proto2"] } + ["class10_oldstyle"]

  /// A case of `Golden/H` and its files.
  struct Case {
    let network: String
    let snapshot: OriginalSnapshot

    init(_ name: String) throws {
      network = String(name.prefix { $0 != "_" })
      snapshot = try OriginalSnapshot(contentsOf: Golden.url("H/tiny_\(name).pkl"))
    }

    func file(_ part: String) throws -> SafetensorsFile {
      try Golden.safetensors("H/tiny_\(network)_\(part).safetensors")
    }
  }

  @Test("the state dictionary is bit-identical", arguments: names) func state(name: String) throws {
    let golden = try Case(name)
    #expect(golden.snapshot.kind == .snapshot)
    try expect(golden.snapshot.state, are: golden.file("state"), prefix: "")
  }

  @Test("the node counters are bit-identical", arguments: names) func counters(name: String) throws {
    struct Numbers: Decodable {
      let k, iter, batchn, idxMax: Int
      let splitIters: [Int]
    }
    let golden = try Case(name)
    let file = try golden.file("sdd")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let numbers = try decoder.decode([String: Numbers].self, from: Data(try #require(file.metadata["meta"]).utf8))
    #expect(golden.snapshot.statistics.count == numbers.count && numbers.count == 7)
    for (block, expected) in numbers {
      let found = try #require(golden.snapshot.statistics["model.\(block).ddo"])
      #expect(found.nodes == expected.k && found.images == expected.iter && found.batches == expected.batchn)
      #expect(found.newestLineage == expected.idxMax && found.splitImages == expected.splitIters)
      #expect(try found.counts == file.doubles("\(block).count"))
      #expect(try found.rivalCounts == file.doubles("\(block).near2"))
      #expect(try found.distanceSums == file.doubles("\(block).loss_acc"))
      #expect(found.lineage.max() == expected.idxMax && Set(found.lineage).count == expected.k)
    }
  }

  @Test("the network finds the same codes and computes the same images", arguments: names)
  func evaluation(name: String) throws {
    let golden = try Case(name)
    let file = try golden.file("eval")
    let network = try golden.snapshot.model().network
    let target = Target(try file.tensor("in.target"))
    let classes = try file.entries["in.labels"].map { _ in try (file.tensor("in.labels") * -1).argmin(1) }
    let outputs = try network.outputs(
      samples: 2, condition: network.condition(classes: classes, sources: file.tensor("in.target")),
      chooser: NearestChooser(target))
    #expect(try outputs.flatMap { try $0.codes.array(Int.self) } == file.integers("idx_ks"))
    // Twice the original's difference between float32 and float64, as for all networks of this kind.
    #expect(try file.deviation(of: #require(outputs.last).imagesPerSample(), from: "predict") <= 2 * 3.3e-6)
  }

  @Test("a model has the snapshot's configuration, images and node use", arguments: names)
  func model(name: String) throws {
    let golden = try Case(name)
    let model = try golden.snapshot.model(.init(learnsResidual: false))
    guard let configuration = model.configuration.architecture as? PyramidNetwork.Configuration else {
      throw WrongNetwork()
    }
    let conditions = ["class10": [ConditionKind.classNumber(of: 10)], "edge": [.edges], "uncond": []]
    #expect(
      configuration
        == .init(
          resolution: 8, channelsOfScales: [8, 8, 8, 8], maxBlocks: 2, maxNodes: 4, learnsResidual: false,
          conditions: conditions[golden.network]!))
    #expect(model.training?.images == 24 && model.training?.perplexityOfLayers.count == 7)
    for (_, layer) in model.network.layers { #expect(layer.statistics.images == 24) }
    #expect(try golden.snapshot.model().configuration != model.configuration)
  }
  struct WrongNetwork: Error {}

  @Test("a training state holds the network, and its optimizer is left out") func trainingState() throws {
    let snapshot = try OriginalSnapshot(contentsOf: Golden.url("H/tiny_uncond_training-state-000001.pt"))
    let file = try Golden.safetensors("H/tiny_uncond_training-state_expected.safetensors")
    #expect(snapshot.kind == .trainingState && snapshot.condition == nil)
    let networkPrefix = try #require(
      ["net.", ""].first { file.entries["\($0)model.block_1x1_0.block.norm0.weight"] != nil })
    try expect(snapshot.state, are: file, prefix: networkPrefix)
    #expect(snapshot.leftOut == ["optimizer_state"])
    #expect(try snapshot.model().network.parameterCount == 8952)
  }

  @Test("a snapshot's name has its training images in thousands") func images() throws {
    let scratch = try Scratch()
    for (name, images) in [
      ("shot-000123.pkl", 123_000), ("training-state-001000.pt", 1_000_000), ("shot-000123-old.pkl", 24),
    ] {
      let url = try scratch.file(name, Data(contentsOf: Golden.url("H/tiny_uncond.pkl")))
      #expect(try OriginalSnapshot(contentsOf: url).images == images)
    }
  }

  /// Expects exactly the tensors of a file whose names have a prefix, except the optimizer's.
  private func expect(_ state: [String: OriginalTensor], are file: SafetensorsFile, prefix: String) throws {
    let names = file.entries.keys.filter { $0.hasPrefix(prefix) && !$0.hasPrefix("adam.") }
    #expect(Set(names) == Set(state.keys.map { prefix + $0 }))
    for (name, tensor) in state { try expect(tensor, is: prefix + name, in: file) }
  }

  private func expect(_ tensor: OriginalTensor, is name: String, in file: SafetensorsFile) throws {
    let entry = try file.entry(name)
    #expect(tensor.dtype == entry.dtype && tensor.shape == entry.shape, "\(name)")
    #expect(try file.withBytes(of: name) { Data($0) } == Data(tensor.bytes), "\(name)")
  }
}
