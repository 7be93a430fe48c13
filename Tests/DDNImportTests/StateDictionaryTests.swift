import DDN
import DDNImport
import Foundation
import GoldenSupport
import Testing
import Torch

@Suite("State dictionaries of torch.save become models") struct StateDictionaryTests {
  private func state(_ path: String) throws -> SavedState { try SavedState(golden: path) }

  /// The original's description of a network of `Golden/D`.
  private struct Network: Decodable {
    let resolution: Int
    let learnsResidual: Bool
    let levels: [Level]
    struct Level: Decodable {
      let name: String
      let channels, nodes: Int
      enum CodingKeys: String, CodingKey {
        case name
        case channels = "out_c"
        case nodes = "K"
      }
    }
    enum CodingKeys: String, CodingKey {
      case resolution = "img_resolution"
      case learnsResidual = "learn_residual"
      case levels = "layers"
    }
  }

  @Test("any pyramid is inferred from names and shapes", arguments: Golden.folders(in: "D"))
  func pyramids(name: String) throws {
    let scratch = try Scratch()
    let golden = try JSONDecoder().decode(Network.self, from: Data(contentsOf: Golden.url("D/\(name)/meta.json")))
    let saved = try state("D/\(name)/params.safetensors")
    for data in [saved.stream(), try saved.archive()] {
      let snapshot = try OriginalSnapshot(contentsOf: scratch.file("net.pt", data))
      #expect(snapshot.kind == .stateDictionary && snapshot.images == nil)
      let model = try snapshot.model(.init(learnsResidual: golden.learnsResidual))
      guard let configuration = model.configuration.architecture as? PyramidNetwork.Configuration else {
        throw SnapshotGoldenTests.WrongNetwork()
      }
      #expect(configuration.levels.map { "block_\($0.name)" } == golden.levels.map(\.name))
      #expect(configuration.levels.map(\.channels) == golden.levels.map(\.channels))
      #expect(configuration.levels.map(\.nodes) == golden.levels.map(\.nodes))
      #expect(configuration.resolution == golden.resolution && model.training == nil)
      #expect(configuration.learnsResidual == golden.learnsResidual)
      // Channels that follow the rule are omitted.
      #expect((configuration.channelsOfScales == nil) == (name == "p256_realchannels"))
    }
  }

  @Test(
    "the MNIST network is inferred from names and shapes, and computes the original's images",
    arguments: ["k8_L3", "k8_L3_noleak", "k8_stack2x2_learnres"])
  func mnist(name: String) throws {
    let scratch = try Scratch()
    let url = try scratch.file("net.pt", try state("E/\(name)/params.safetensors").archive())
    let isStacked = name.contains("stack2")
    let choices = OriginalSnapshot.Choices(learnsResidual: isStacked ? true : nil, levels: isStacked ? 4 : 3)
    let model = try OriginalSnapshot(contentsOf: url).model(choices)
    let file = try Golden.safetensors("E/\(name)/decode.safetensors")
    let all = try file.tensor("in.codes").to(.int64)
    let codes = try (0..<all.shape[0]).map { try all.select(0, $0) }
    let classes = try file.entries["in.classi"].map { _ in try file.tensor("in.classi").to(.int64) }
    let outputs = try model.network.outputs(
      samples: codes[0].count, condition: Condition(classes: classes), chooser: GivenChooser(codes))
    let last = try #require(outputs.last)
    #expect(try file.deviation(of: last.imagesPerSample(), from: "L0\(last.level).predict") <= 2e-5)
  }

  @Test("levels and residuals of the MNIST network default to the original's") func defaults() throws {
    let scratch = try Scratch()
    let url = try scratch.file("net.pt", try state("E/k8_L3/params.safetensors").stream())
    guard
      let configuration = try OriginalSnapshot(contentsOf: url).model().configuration.architecture
        as? RecurrentNetwork.Configuration
    else {
      throw SnapshotGoldenTests.WrongNetwork()
    }
    #expect(
      configuration == .init(baseWidth: 8, nodes: 8, repeats: 10, stacks: 1, leaksChoice: true, learnsResidual: false))
  }

  @Test("weights with permuted strides become row-major") func strides() throws {
    let scratch = try Scratch()
    var saved = try state("D/p8_k2/params.safetensors")
    let straight = try OriginalSnapshot(contentsOf: scratch.file("a.pt", saved.stream())).state
    let place = try #require(saved.entries.firstIndex { $0.shape.count == 4 && $0.shape[2] == 3 })
    let entry = saved.entries[place]
    let (outputs, inputs) = (entry.shape[0], entry.shape[1])
    var permuted = Data()
    for output in 0..<outputs {
      for pixel in 0..<9 {
        for input in 0..<inputs {
          let start = 4 * ((output * inputs + input) * 9 + pixel)
          permuted += entry.bytes[start..<start + 4]
        }
      }
    }
    saved.entries[place].bytes = permuted
    saved.entries[place].strides = [9 * inputs, 1, 3 * inputs, inputs]
    let again = try OriginalSnapshot(contentsOf: scratch.file("b.pt", saved.stream())).state
    #expect(again.mapValues { Data($0.bytes) } == straight.mapValues { Data($0.bytes) })
  }

  @Test("many tensors may share a storage, which is read once") func views() throws {
    let scratch = try Scratch()
    let numbers = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 5000) }.withUnsafeBytes { Data($0) }
    let parts = (0..<20).map { place in
      var part = SavedState.Entry("t\(place)", [1250], numbers)
      part.offset = 1250 * place
      return (Pickled.text(part.name), part.pickled(key: "0", isLegacy: false))
    }
    let saved = SavedState([.init("all", [25_000], numbers)])
    let url = try scratch.file("a.pt", saved.archive(pickle: Pickled.dictionary(parts).pickle()))
    let state = try OriginalSnapshot(contentsOf: url).state
    #expect(state.count == 20)
    for place in 0..<20 {
      #expect(state["t\(place)"].map { Data($0.bytes) } == Data(repeating: UInt8(place), count: 5000))
    }
  }
}
