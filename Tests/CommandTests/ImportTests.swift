import Foundation
import Testing
import Torch

extension CommandTests {
  @Suite("ddn import converts the original's files") struct ImportTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Golden/H")

    /// A copy of one of the original's files in a new folder.
    static func copy(_ name: String, as copy: String) throws -> URL {
      let url = try Scratch.folder().appending(path: copy)
      try FileManager.default.copyItem(at: folder.appending(path: name), to: url)
      return url
    }

    @Test(
      "it reports what it found, and the model works with info and generate",
      arguments: ["tiny_class10.pkl", "tiny_class10_proto2.pkl", "tiny_class10_oldstyle.pkl"])
    func success(name: String) async throws {
      let snapshot = try Self.copy(name, as: "shot-000007.pkl")
      let output = snapshot.deletingLastPathComponent().appending(path: "model.safetensors")
      let result = try await Command.run(["import", snapshot.path, output.path])
      #expect(result.exitCode == 0 && result.errors.isEmpty, "\(result)")
      for part in [
        "snapshot of 82 tensors", "pyramid of 7 levels, 4 nodes, 8x8 colour, conditioned on class10, 8952 parameters",
        "residuals     learned, assumed", "first input   zeros, by the snapshot",
        "ignored       Split-and-Prune's counters",
        "7000 images, by the file's name; by its counters 24", "ddn generate --network \(output.path)",
      ] {
        #expect(result.output.contains(part), "\(part): \(result.output)")
      }
      let info = try await Command.run(["info", "--network", output.path])
      #expect(info.exitCode == 0 && info.errors.isEmpty, "\(info)")
      #expect(info.output.contains("8952 parameters") && info.output.contains("shot-000007.pkl"), "\(info.output)")
      #expect(info.output.contains("7000 images") && info.output.contains("node use      perplexity 3."))
      #expect(!info.output.contains("level losses"))
      let pictures = try await Command.run([
        "generate", "--network", output.path, "--seeds", "0-3", "--class", "3", "--outdir",
        try Scratch.folder().appending(path: "pictures").path,
      ])
      #expect(pictures.exitCode == 0, "\(pictures)")
    }

    @Test("a training state gives the same model as its snapshot, without the optimizer") func state()
      async throws
    {
      let state = try Self.copy("tiny_uncond_training-state-000001.pt", as: "training-state-000001.pt")
      let output = state.deletingLastPathComponent().appending(path: "model.safetensors")
      let result = try await Command.run(["import", state.path, output.path, "--learn-res", "false"])
      #expect(result.exitCode == 0 && result.errors.isEmpty, "\(result)")
      #expect(result.output.contains("training state of 82 tensors") && result.output.contains("1000 images"))
      #expect(result.output.contains("not learned, by --learn-res"))
      #expect(result.output.contains(#"ignored       "optimizer_state""#))
      let metadata = try SafetensorsFile(contentsOf: output).metadata
      #expect(metadata["network"]?.contains(#""learnsResidual":false"#) == true)
    }

    @Test("residuals follow training_options.json beside the snapshot") func options() async throws {
      let snapshot = try Self.copy("tiny_uncond.pkl", as: "a.pkl")
      let options = snapshot.deletingLastPathComponent().appending(path: "training_options.json")
      let arguments = ["import", snapshot.path, snapshot.path + ".safetensors", "--overwrite"]
      for (json, code, part) in [
        (#"{"kwargs": {"learn_res": false}}"#, Int32(0), "not learned, by training_options.json"),
        // As for the original's generate.py.
        (#"{"kwargs": {"batch": 5}}"#, 0, "not learned, as training_options.json has no learn_res"),
        (
          #"{"kwargs": {"learn_res": 3}}"#, 65,
          "neither true nor false; give --learn-res true or false, or remove the file"
        ),
        (#"{"kwargs": {"learn_res": 1}}"#, 65, "neither true nor false"),
        (#"{"kwargs": [true]}"#, 65, "no options of the original's"), ("{}", 65, "no options of the original's"),
      ] {
        try Data(json.utf8).write(to: options)
        let result = try await Command.run(arguments)
        #expect(
          code == 0 ? result.exitCode == 0 && result.output.contains(part) : result.isFailure(code, part), "\(result)")
      }
      #expect(try await Command.run(arguments + ["--learn-res", "true"]).output.contains("learned, by --learn-res"))
    }

    @Test("a path with learn.res and --fp16 in training_options.json are reported") func halfPrecision()
      async throws
    {
      let folder = try Scratch.folder().appending(path: "00000-learn.res")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let snapshot = folder.appending(path: "a.pkl")
      try FileManager.default.copyItem(at: Self.folder.appending(path: "tiny_uncond.pkl"), to: snapshot)
      let options = folder.appending(path: "training_options.json")
      try Data(#"{"kwargs": {"fp16": true}}"#.utf8).write(to: options)
      let result = try await Command.run(["import", snapshot.path, folder.path + "/a.safetensors"])
      #expect(result.output.contains("learned, by the path, as training_options.json has no learn_res"), "\(result)")
      #expect(!result.output.contains("not learned") && result.output.contains("trained with --fp16"), "\(result)")
    }

    @Test("an existing output is overwritten only with --overwrite") func overwriting() async throws {
      let snapshot = try Self.copy("tiny_uncond.pkl", as: "a.pkl")
      let output = snapshot.deletingLastPathComponent().appending(path: "a.safetensors")
      try Data("mine".utf8).write(to: output)
      let refused = try await Command.run(["import", snapshot.path, output.path])
      #expect(refused.isFailure(1, "exists; give --overwrite"), "\(refused)")
      #expect(try Data(contentsOf: output) == Data("mine".utf8))
      let result = try await Command.run(["import", snapshot.path, output.path, "--overwrite"])
      #expect(result.exitCode == 0, "\(result)")
      #expect(try SafetensorsFile(contentsOf: output).metadata["format"] == "ddn-swift")
    }

    @Test("a state dictionary's initial image is --initial-image, and the model stores it") func initialImage()
      async throws
    {
      let folder = try Scratch.folder()
      let weights = Self.folder.deletingLastPathComponent().appending(path: "D/p8_k2/params.safetensors").path
      let output = folder.appending(path: "a.safetensors").path
      for (more, part) in [
        ([], "first input   zeros, assumed"),
        (["--initial-image", "channel-ramp"], "first input   channel-ramp, by --initial-image"),
      ] as [([String], String)] {
        let result = try await Command.run(["import", weights, output, "--overwrite"] + more)
        #expect(result.exitCode == 0 && result.output.contains(part), "\(result)")
        #expect(result.output.contains("state dictionary of") && !result.output.contains("left out"))
      }
      let info = try await Command.run(["info", "--network", output])
      #expect(info.output.contains("initial image channel-ramp"), "\(info)")
      let snapshot = Self.folder.appending(path: "tiny_uncond.pkl").path
      let refused = try await Command.run(
        ["import", snapshot, folder.appending(path: "b.safetensors").path, "--initial-image", "channel-ramp"])
      #expect(refused.isFailure(65, "already defines its initial image: zeros"), "\(refused)")
    }

    @Test("a missing file exits with 66") func missing() async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(["import", "nothing.pkl", "o.safetensors"], in: folder)
      #expect(result.isFailure(66, "nothing.pkl"), "\(result)")
    }

    @Test("a file that would execute code, or is not a snapshot, exits with 65 and leaves nothing") func refused()
      async throws
    {
      let folder = try Scratch.folder()
      let marker = folder.appending(path: "was-run")
      let command = "touch \(marker.path)"
      let evil =
        Data("\u{80}\u{2}cos\nsystem\n(X".unicodeScalars.map { UInt8($0.value) })
        + withUnsafeBytes(of: UInt32(command.utf8.count).littleEndian) { Data($0) } + Data("\(command)tR.".utf8)
      let whole = try Data(contentsOf: Self.folder.appending(path: "tiny_edge.pkl"))
      for (bytes, part) in [
        (evil, #"refers to "os.system""#), (whole.prefix(whole.count / 2), "has a frame of"), (Data(), "is empty"),
        (Data("PK\u{3}\u{4}nothing".utf8), "zip"), (Data("{\"a\": 1}".utf8), "is not a pickle"),
      ] {
        let file = folder.appending(path: "x.pkl")
        try bytes.write(to: file)
        let result = try await Command.run(["import", "x.pkl", "o.safetensors"], in: folder)
        #expect(result.isFailure(65, part) && result.errors.contains("x.pkl: "), "\(result)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["x.pkl"])
      }
    }

    @Test("an output that cannot be written exits with 1") func badOutput() async throws {
      let result = try await Command.run([
        "import", Self.folder.appending(path: "tiny_uncond.pkl").path, "/nowhere/at/all.safetensors",
      ])
      #expect(result.isFailure(1, "/nowhere/at"), "\(result)")
    }
  }
}
