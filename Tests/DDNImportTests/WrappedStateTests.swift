import DDN
import DDNFiles
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNImport

@Suite("Wrapped state dictionaries are found") struct WrappedStateTests {
  static let pyramid = "D/p8_k2/params.safetensors"
  static let recurrent = "E/k8_L3/params.safetensors"

  private func bytes(_ snapshot: OriginalSnapshot) -> [String: Data] { snapshot.state.mapValues { Data($0.bytes) } }

  @Test(
    "common prefixes of all names are removed, and a pyramid's missing prefix is added",
    arguments: ["module.", "_orig_mod.", "module.net.", "ema.module.", ""])
  func prefixes(prefix: String) throws {
    let scratch = try Scratch()
    for path in [Self.pyramid, Self.recurrent] {
      let saved = try SavedState(golden: path)
      let expected = try bytes(OriginalSnapshot(contentsOf: scratch.file("a.pt", saved.stream())))
      #expect(expected.keys.allSatisfy { $0.hasPrefix("model.block_") || $0.hasPrefix("ddn_seqen.") })
      for inner in ["model.", ""] where inner.isEmpty || path == Self.pyramid {
        let renamed = saved.renamed { prefix + inner + $0.replacing(/^model\./, with: "") }
        #expect(try bytes(OriginalSnapshot(contentsOf: scratch.file("b.pt", renamed.stream()))) == expected)
      }
    }
  }

  @Test("a prefix of only some names is kept, and refused") func mixed() throws {
    let scratch = try Scratch()
    let saved = try SavedState(golden: Self.pyramid)
    let renamed = saved.renamed { $0.contains("2x2") ? "module.\($0)" : $0 }
    let snapshot = try OriginalSnapshot(contentsOf: scratch.file("a.pt", renamed.stream()))
    #expect(throws: FileError.self) { try snapshot.model() }
  }

  @Test(
    "a dictionary within the file is found, and other members are left out",
    arguments: ["state_dict", "model", "ema", "net", "model_state_dict"])
  func wrappers(key: String) throws {
    let scratch = try Scratch()
    let saved = try SavedState(golden: Self.pyramid)
    let expected = try bytes(OriginalSnapshot(contentsOf: scratch.file("a.pt", saved.stream())))
    let pickle = Pickled.members([
      "epoch": .int(3), key: .dictionary(saved.members), "args": .built(.instance("argparse Namespace"), state: .none),
    ])
    let snapshot = try OriginalSnapshot(contentsOf: scratch.file("b.pt", saved.archive(pickle: pickle.pickle())))
    #expect(bytes(snapshot) == expected && snapshot.kind == .stateDictionary)
    #expect(snapshot.wrapper == key && snapshot.leftOut == ["args", "epoch"])
  }

  @Test("averaged weights take precedence") func average() throws {
    let scratch = try Scratch()
    let saved = try SavedState(golden: Self.pyramid)
    let pickle = Pickled.members(["model": .members(["x": .int(1)]), "ema": .dictionary(saved.members)])
    let snapshot = try OriginalSnapshot(contentsOf: scratch.file("b.pt", saved.archive(pickle: pickle.pickle())))
    #expect(snapshot.wrapper == "ema" && snapshot.leftOut == ["model"])
  }

  @Test("float16 and bfloat16 weights are converted to float32 exactly", arguments: [DType.float16, .bfloat16])
  func widening(type: DType) throws {
    let scratch = try Scratch()
    let file = try Golden.safetensors(Self.pyramid)
    var saved = try SavedState(golden: Self.pyramid)
    for place in saved.entries.indices {
      let narrow = try file.tensor(saved.entries[place].name).to(type)
      let bytes = try narrow.reshaped([-1]).reinterpreted(as: .uint8).array(UInt8.self)
      saved.entries[place].bytes = Data(bytes)
      saved.entries[place].count = bytes.count / 2
      saved.entries[place].type = type == .float16 ? "HalfStorage" : "BFloat16Storage"
    }
    let snapshot = try OriginalSnapshot(contentsOf: scratch.file("a.pt", saved.archive()))
    #expect(snapshot.widenedTypes == [type])
    let network = try snapshot.model().network
    let (name, tensor) = try #require(network.state().first { $0.key.contains("layer.weight") })
    #expect(tensor.dtype == .float32)
    let configuration = try #require(network as? PyramidNetwork).configuration
    let original = try #require(OriginalNames.pyramid(name, levels: configuration.levels))
    #expect(try tensor.array(Float.self) == file.tensor(original).to(type).to(.float32).array(Float.self))
  }

  @Test("safetensors with the original's names are imported") func safetensors() throws {
    let scratch = try Scratch()
    let saved = try SavedState(golden: Self.pyramid)
    let expected = try bytes(OriginalSnapshot(contentsOf: scratch.file("a.pt", saved.stream())))
    let snapshot = try OriginalSnapshot(contentsOf: Golden.url(Self.pyramid))
    #expect(bytes(snapshot) == expected && snapshot.kind == .stateDictionary)
    _ = try snapshot.model()
  }

  @Test("a model of this program is refused") func ownModel() throws {
    let scratch = try Scratch()
    let url = scratch.url.appending(path: "own.safetensors")
    try OriginalSnapshot(contentsOf: Golden.url(Self.pyramid)).model().write(to: url)
    let error = try #require(throws: FileError.self) { try OriginalSnapshot(contentsOf: url) }
    #expect(error.problem == "is already a model of this program")
  }
}
