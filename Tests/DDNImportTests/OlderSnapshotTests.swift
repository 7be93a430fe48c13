import DDN
import DDNFiles
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNImport

@Suite("Files of older versions of the original") struct OlderSnapshotTests {
  private func renamed(_ old: String, _ new: String) throws -> Data {
    var bytes = try Data(contentsOf: Golden.url("H/tiny_uncond.pkl"))
    let place = try #require(bytes.range(of: Data(old.utf8)))
    bytes.replaceSubrange(place, with: Data(new.utf8))
    return bytes
  }

  @Test("a snapshot from before 2023-11-20, without scalis, starts with the channel ramp") func scalis() throws {
    let scratch = try Scratch()
    let old = try OriginalSnapshot(contentsOf: scratch.file("a.pkl", renamed("scalis", "scalix")))
    let new = try OriginalSnapshot(contentsOf: Golden.url("H/tiny_uncond.pkl"))
    for (snapshot, image) in [(old, InitialImage.channelRamp), (new, nil)] {
      #expect(snapshot.initialImage == image)
      guard let found = try snapshot.model().configuration.architecture as? PyramidNetwork.Configuration else {
        throw SnapshotGoldenTests.WrongNetwork()
      }
      #expect(found.initialImage == image)
    }
    #expect(try old.model(.init(initialImage: .channelRamp)).configuration == old.model().configuration)
    let error = try #require(throws: FileError.self) { try new.model(.init(initialImage: .channelRamp)) }
    #expect(error.problem.contains("already defines its initial image: zeros"))
  }

  @Test("with the channel ramp, a state dictionary gives the old program's codes") func codes() throws {
    let scratch = try Scratch()
    let saved = try SavedState(golden: "H/old_initial.safetensors", prefix: "state.")
    let snapshot = try OriginalSnapshot(contentsOf: scratch.file("a.pt", saved.archive()))
    let file = try Golden.safetensors("H/old_initial.safetensors")
    let expected = try file.tensor("codes").transposed(0, 1).array(Int.self)
    let target = Target(try file.tensor("targets"))
    for image in [InitialImage.channelRamp, nil] {
      let network = try snapshot.model(.init(initialImage: image)).network
      let outputs = try network.outputs(samples: 8, chooser: NearestChooser(target))
      #expect((try outputs.flatMap { try $0.codes.array(Int.self) } == expected) == (image != nil))
    }
  }

  @Test("an MNIST network has no initial image") func recurrent() throws {
    let scratch = try Scratch()
    let url = try scratch.file("a.pt", SavedState(golden: "E/k8_L3/params.safetensors").archive())
    let error = try #require(throws: FileError.self) {
      try OriginalSnapshot(contentsOf: url).model(.init(initialImage: .channelRamp))
    }
    #expect(error.problem.contains("no initial image") && error.remedy.contains("--initial-image"))
  }

  @Test(
    "time_embed of MNIST networks until June 2025 is the class embedding, with 10 rows or more", arguments: [10, 64])
  func timeEmbed(rows: Int) throws {
    let scratch = try Scratch()
    var saved = try SavedState(golden: "E/k8_L3/params.safetensors")
    let straight = try OriginalSnapshot(contentsOf: scratch.file("a.pt", saved.archive())).state
    saved = saved.renamed { $0.replacing("class_embed", with: "time_embed") }
    let place = try #require(saved.entries.firstIndex { $0.name.contains("time_embed") })
    let bytes = saved.entries[place].bytes + Data(count: 400 * (rows - 10))
    saved.entries[place] = SavedState.Entry(saved.entries[place].name, [rows, 100], bytes)
    let snapshot = try OriginalSnapshot(contentsOf: scratch.file("b.pt", saved.archive()))
    #expect(snapshot.state.mapValues { Data($0.bytes) } == straight.mapValues { Data($0.bytes) })
    _ = try snapshot.model(.init(levels: 3))
  }

  @Test(
    "images are the larger of name and counters",
    arguments: [("shot-000000.pkl", 24), ("shot-000001.pkl", 1000), ("mine.pkl", 24)])
  func images(name: String, images: Int) throws {
    let scratch = try Scratch()
    let url = try scratch.file(name, Data(contentsOf: Golden.url("H/tiny_uncond.pkl")))
    let snapshot = try OriginalSnapshot(contentsOf: url)
    #expect(snapshot.images == images && snapshot.imagesOfCounters == 24)
    #expect(try snapshot.model().training?.images == images)
  }

  @Test("protocol 5 arrays are read, in C order only") func protocol5() throws {
    func array(_ order: Pickled, _ more: [Pickled] = [], module: String = "numpy._core") throws -> NumpyArray {
      let numbers = [1.5, -2].flatMap { Pickled.bytes($0.bitPattern) }
      let type = Pickled.built(
        .call("numpy dtype", [.text("f8"), .bool(false), .bool(true)]), state: .tuple([.int(3), .text("<")]))
      let buffer = Pickled.raw([0x96] + Pickled.bytes(UInt64(16)) + numbers)
      let data = Pickled.call("\(module).numeric _frombuffer", [buffer, type, .tuple([.int(2)]), order] + more)
        .pickle(protocol: 5)
      var reader = PickleReader(data, allowsPersistentIDs: false)
      let graph = try reader.read()
      return try NumpyArray(graph.root, in: graph, "x")
    }
    for module in ["numpy._core", "numpy.core"] {
      #expect(try array(.text("C"), module: module).doubles([2], "x") == [1.5, -2])
    }
    #expect(try array(.text("C"), [.none]).doubles([2], "x") == [1.5, -2])
    #expect(throws: ImportError.self) { try array(.text("F")) }
    #expect(throws: ImportError.self) { try array(.text("C"), [.tuple([])]) }
    #expect(throws: ImportError.self) { try array(.text("C"), [.none, .none]) }
  }
}
