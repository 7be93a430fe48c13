import DDN
import DDNFiles
import Foundation
import GoldenSupport
import Testing

@testable import DDNImport

@Suite("Files of other formats are recognized, with a remedy") struct ForeignFileTests {
  static let files: [(bytes: Data, problem: String, remedy: String)] = [
    (Data(), "is empty", "download"), (Data("\n <!DOCTYPE html><html>".utf8), "is a web page", "download"),
    (Data("<HTML>".utf8), "is a web page", "download"),
    (Data("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n".utf8), "Git LFS", "git lfs pull"),
    (Data([0x1F, 0x8B, 8, 0]), "compressed with gzip", "gunzip"), (Data([0x28, 0xB5, 0x2F, 0xFD]), "zstd", "unzstd"),
    (
      Pickled.built(.instance("__main__ Net"), state: .members([:])).pickle(), "holds an object of \"__main__.Net\"",
      "state_dict()"
    ),
    (Pickled.members(["ema": .instance("my.nets Net")]).pickle(), "an object of \"my.nets.Net\"", "state_dict()"),
    (Pickled.members(["model": .instance("my.nets Net")]).pickle(), "an object of \"my.nets.Net\"", "state_dict()"),
  ]

  private func problem(_ data: Data) throws -> FileError {
    let scratch = try Scratch()
    let url = try scratch.file("a.pkl", data)
    let error = try #require(throws: FileError.self) { _ = try OriginalSnapshot(contentsOf: url).model() }
    #expect(error.kind == .invalid && !error.description.contains("\n"))
    return error
  }

  @Test("files without weights", arguments: files.indices) func foreign(index: Int) throws {
    let (bytes, problem, remedy) = Self.files[index]
    let error = try self.problem(bytes)
    #expect(error.problem.contains(problem) && error.remedy.contains(remedy), "\(error)")
  }

  @Test("diffusion networks and pyramids with a refiner are recognized") func otherNetworks() throws {
    let whole = try Data(contentsOf: Golden.url("H/tiny_uncond.pkl"))
    var diffusion = whole
    while let place = diffusion.range(of: Data("DDNPrecond".utf8)) {
      diffusion.replaceSubrange(place, with: Data("EDMPrecond".utf8))
    }
    let error = try problem(diffusion)
    #expect(error.problem.contains("a diffusion network (\"EDMPrecond\")") && error.remedy.contains("--arch=ddn"))

    var refined = whole
    let name = try #require(refined.range(of: Data("refiner_repeatn".utf8)))
    let zero = try #require(refined.range(of: Data([0x4B, 0]), in: name.upperBound..<refined.count))
    refined[zero.lowerBound + 1] = 3
    let refiner = try problem(refined)
    #expect(refiner.problem.contains("a refiner of 3.0 rounds") && refiner.remedy.contains("--refinern=0"))
  }

  @Test("unused members may hold objects of any class") func unused() throws {
    let scratch = try Scratch()
    let whole = try Data(contentsOf: Golden.url("H/tiny_uncond.pkl"))
    // Before STOP: (key, object) pairs that SETITEMS adds to the snapshot's dictionary.
    let additions = Pickled.items(
      .raw([]),
      [
        (.text("loss"), .built(.instance("my.losses Loss"), state: .members(["weight": .number(1)]))),
        (.text("data"), .items(.call("dnnlib.util EasyDict", []), [(.text("path"), .text("a"))])),
        (.text("place"), .call("pathlib PosixPath", [.text("a")])), (.text("type"), .global("torch float32")),
        (.text("options"), .built(.instance("types SimpleNamespace"), state: .none)),
      ]
    ).pickle().dropFirst(2)
    let snapshot = try OriginalSnapshot(contentsOf: scratch.file("a.pkl", whole.dropLast() + additions))
    #expect(try snapshot.model().network.parameterCount == 8952)
  }

  @Test("an unknown object is not a tensor, list, dictionary, bytes or array") func opaque() throws {
    for part in ["tensor", "list", "pairs", "bytes", "number"] {
      let object: Pickled = .items(.call("my.module make", [.bytes(Data(count: 8))]), [(.text("a"), .int(1))])
      let data = Pickled.members(["a": object]).pickle()
      var reader = PickleReader(data, allowsPersistentIDs: false)
      let graph = try reader.read()
      let value = try #require(try graph.members(graph.root, "")["a"])
      let error = try #require(throws: ImportError.self, "\(part)") {
        switch part {
        case "tensor":
          var tensors = TensorReader(graph, storages: EmbeddedStorages(), fileBytes: 1000)
          _ = try tensors.tensor(value, "x")
        case "list": _ = try graph.sequence(value, "x")
        case "pairs": _ = try graph.pairs(value, "x")
        case "bytes": _ = try graph.bytes(value, "x")
        default: _ = try NumpyArray(value, in: graph, "x")
        }
      }
      #expect(error.problem.contains("an object of \"my.module.make\""))
      #expect(graph.object(value) == nil)
    }
  }
}
