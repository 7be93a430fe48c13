import DDNFiles
import Foundation
import Images
import Testing
import Torch

extension CommandErrorTests {
  @Suite("Missing or damaged input is an error of one line") struct BadInputTests {
    @Test("a missing model exits with 66") func missingModel() async throws {
      let folder = try Scratch.folder()
      for path in ["nothing.safetensors", "nothing", folder.path] {
        let result = try await Command.run(["generate", "--network", path], in: folder)
        #expect(result.isFailure(66, "no such model"), "\(result)")
      }
    }

    /// Ways to damage a model file.
    static let damage: [(name: String, apply: @Sendable (inout Data) -> Void)] = [
      ("empty", { $0 = Data() }),
      ("text", { $0 = Data("these are no weights\n".utf8) }),
      ("cut within the header's length", { $0 = $0.prefix(5) }),
      ("cut within the header", { $0 = $0.prefix(100) }),
      ("cut within the weights", { $0 = $0.prefix($0.count / 2) }),
      ("cut by one byte", { $0 = $0.dropLast() }),
      ("another bit of a weight", { $0[$0.count - 100] ^= 0x10 }),
      ("longer by one byte", { $0.append(0) }),
      ("another first byte of the header", { $0[8] ^= 0x20 }),
      ("a longest header", { $0.replaceSubrange(0..<8, with: Data(repeating: 0xff, count: 8)) }),
      ("another tensor name", { $0.replace("decoder8", with: "decoder9") }),
      ("another format", { $0.replace("ddn-swift", with: "ddn-other") }),
      ("another version", { $0.replace("\"version\":\"1\"", with: "\"version\":\"9\"") }),
      ("more nodes", { $0.replace("\\\"nodes\\\":4,", with: "\\\"nodes\\\":8,") }),
      ("one node", { $0.replace("\\\"nodes\\\":4,", with: "\\\"nodes\\\":1,") }),
      ("no number of nodes", { $0.replace("\\\"nodes\\\":4,", with: "\\\"nodes\\\":x,") }),
    ]

    @Test("damaged weights and weights of another configuration exit with 65", arguments: damage.indices)
    func damagedModel(index: Int) async throws {
      let run = SavedRun(url: try await ShortTraining.copy())
      var bytes = try Data(contentsOf: run.model)
      let whole = bytes
      Self.damage[index].apply(&bytes)
      try #require(bytes != whole)
      try bytes.write(to: run.model)
      let result = try await Command.run(["info", "--network", run.url.path])
      #expect(result.isFailure(65, run.model.path), "\(Self.damage[index].name): \(result)")
      if Self.damage[index].name == "one node" { #expect(result.errors.contains("1 nodes a level"), "\(result)") }
    }

    @Test("a small file that declares a huge network is an error before memory is allocated") func giant() async throws
    {
      let run = SavedRun(url: try await ShortTraining.copy())
      for giant in [
        ["\"nodes\":4": "\"nodes\":4096", "\"baseWidth\":2": "\"baseWidth\":1024"], ["\"stacks\":1": "\"stacks\":64"],
      ] {
        let file = try SafetensorsFile(
          contentsOf: try await ShortTraining.finished.value.appending(path: "model.safetensors"))
        var metadata = file.metadata
        for (old, new) in giant { metadata["network"] = metadata["network"]!.replacing(old, with: new) }
        let tensors = try file.entries.map { name, entry in
          (name: name, dtype: entry.dtype, shape: entry.shape, bytes: try file.withBytes(of: name) { Data($0) })
        }
        try SafetensorsFile.write(tensors, metadata: metadata, to: run.model)
        let result = try await Command.run(["info", "--network", run.model.path])
        #expect(result.isFailure(65, "too few for the network"), "\(result)")
      }
    }

    @Test("resuming a missing run exits with 66") func noRun() async throws {
      let folder = try Scratch.folder()
      for path in ["nothing", "."] {
        #expect(try await Command.run(["train", "--resume", path], in: folder).isFailure(66))
      }
      try Data("{}".utf8).write(to: folder.appending(path: "options.json"))
      #expect(try await Command.run(["train", "--resume", "."], in: folder).isFailure(65, "options.json"))
    }

    @Test("a run with lost states is not started again over its model") func noState() async throws {
      let run = SavedRun(url: try await ShortTraining.copy())
      for images in try run.states {
        try FileManager.default.removeItem(at: run.state(images, "model").deletingLastPathComponent())
      }
      let model = try Data(contentsOf: run.model)
      let result = try await Command.run(["train", "--threads", "1", "--resume", run.url.path])
      #expect(result.isFailure(66, "--transfer \(run.model.path)"), "\(result)")
      #expect(try Data(contentsOf: run.model) == model)
    }

    @Test("a run whose images were moved continues with --data, but not with other images") func movedData()
      async throws
    {
      let folder = try Scratch.folder()
      try Folder.create(folder.appending(path: "pictures"))
      for index in 0..<4 {
        try Bitmap(width: 8, height: 8, channels: 1, pixels: (0..<64).map { UInt8($0 * index) })
          .write(to: folder.appending(path: "pictures/\(index).png"))
      }
      let small = ["--threads", "1", "--max-blockn", "1", "--max-outputk", "4", "--cbase", "64", "--cmax", "8"]
      let train = ["train", "--data", "pictures", "--outdir", ".", "--batch", "8", "--duration", "0.00008"] + small
      let first = try await Command.run(train, in: folder)
      try #require(first.exitCode == 0, "\(first)")
      try FileManager.default.moveItem(
        at: folder.appending(path: "pictures"), to: folder.appending(path: "elsewhere"))
      let resume = ["train", "--resume", "00000-pictures", "--duration", "0.00016"]
      let lost = try await Command.run(resume, in: folder)
      #expect(lost.isFailure(66, "give their path with --data"), "\(lost)")
      let moved = try await Command.run(resume + ["--data", "elsewhere"], in: folder)
      #expect(moved.exitCode == 0 && moved.output.contains("continuing after 80"), "\(moved)")
      try Bitmap(width: 8, height: 8, channels: 1, pixels: [UInt8](repeating: 9, count: 64))
        .write(to: folder.appending(path: "elsewhere/2.png"))
      let changed = try await Command.run(["train", "--resume", "00000-pictures", "--duration", "0.0003"], in: folder)
      #expect(changed.isFailure(65, "has images of the same names with other pixels"), "\(changed)")
    }

    @Test(
      "a damaged state is reported and renamed, and the previous one is used", arguments: ["model", "training"])
    func damagedState(part: String) async throws {
      let run = SavedRun(url: try await ShortTraining.copy())
      let file = run.state(2000, part)
      try Data(contentsOf: file).dropLast(1000).write(to: file)
      let resume = ["train", "--threads", "1", "--resume", run.url.path]
      let result = try await Command.run(resume)
      #expect(result.exitCode == 0 && result.output.contains("continuing after 1000 of 2000 images"), "\(result)")
      #expect(result.errors.hasPrefix("note: \(file.path): ") && result.errors.split(separator: "\n").count == 1)
      #expect(try run.states == [1000, 2000] && run.leftovers == [])
      let aside = run.url.appending(path: "damaged-state-0000002000")
      #expect(FileManager.default.fileExists(atPath: aside.path))
      try FileManager.default.removeItem(at: aside)
      try run.expectEqual(to: SavedRun(url: try await ShortTraining.finished.value))
    }
  }
}

extension Data {
  /// Replaces the first occurrence of a text by one of the same length.
  fileprivate mutating func replace(_ text: String, with other: String) {
    if let place = range(of: Data(text.utf8)) { replaceSubrange(place, with: Data(other.utf8)) }
  }
}
