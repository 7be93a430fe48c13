import Foundation
import Testing

extension CommandErrorTests {
  @Suite("Failures to write are reported, and existing files stay intact") struct BadDiskTests {
    /// Files may not grow beyond 200 KiB, as on a disk that is nearly full; a model has 340.
    private static let fullDisk = "ulimit -f 200; exec \"$@\""

    @Test("a new run on a full disk exits with 1 and leaves no partial model") func newRun() async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(
        ShortTraining.arguments(thousandImages: 2, in: folder), shell: Self.fullDisk)
      // The first failed save is reported; failing at the last one ends the run.
      #expect(result.exitCode == 1, "\(result)")
      let lines = result.errors.split(separator: "\n")
      #expect(lines.count == 2 && lines[0].contains("training continues and retries"), "\(result)")
      #expect(lines[1].hasPrefix("ddn: ") && lines[1].contains("model.safetensors: cannot be written"))
      let run = SavedRun(url: folder.appending(path: "00000-mnist-test"))
      try run.expectWhole()
      #expect(try run.states == [] && run.leftovers == [])
      #expect(!FileManager.default.fileExists(atPath: run.model.path))
    }

    @Test("a resumed run on a full disk exits with 1, keeps its saves, and continues when there is space")
    func resumedRun() async throws {
      let run = SavedRun(url: try await ShortTraining.copy())
      let model = try Data(contentsOf: run.model)
      let resume = ["train", "--threads", "1", "--resume", run.url.path, "--duration", "0.003"]
      let result = try await Command.run(resume, shell: Self.fullDisk)
      #expect(result.isFailure(1, "cannot be written"), "\(result)")
      try run.expectWhole()
      #expect(try Data(contentsOf: run.model) == model && run.states == [1000, 2000] && run.leftovers == [])

      #expect(try await Command.run(resume).exitCode == 0)
      #expect(try run.states == [2000, 3000])
    }

    @Test("an unwritable folder exits with 1", arguments: ["train", "generate", "reconstruct", "demo"])
    func readOnly(command: String) async throws {
      let folder = try Scratch.folder()
      try Data().write(to: folder.appending(path: "file"))
      var places = ["file/folder"]
      if geteuid() != 0 {
        try FileManager.default.createDirectory(
          at: folder.appending(path: "closed"), withIntermediateDirectories: false,
          attributes: [.posixPermissions: 0o555])
        places.append("closed/folder")
      }
      let network = try await ShortTraining.finished.value
      let model = ["generate", "reconstruct"].contains(command) ? ["--network", network.path] : []
      for place in places {
        let result = try await Command.run([command, "--threads", "1", "--outdir", place] + model, in: folder)
        #expect(result.isFailure(1, "this folder cannot be created"), "\(result)")
      }
    }

    @Test("a second training in the same folder exits with 1") func twice() async throws {
      let folder = try Scratch.folder()
      let first = try Command(ShortTraining.arguments(thousandImages: 1000, in: folder))
      try await first.waitForOutput("images,")
      let second = try await Command.run(["train", "--resume", folder.appending(path: "00000-mnist-test").path])
      #expect(second.isFailure(1, "another process is training in this folder"), "\(second)")
      first.send(SIGKILL)
      _ = try await first.result()
    }

    @Test("a closed pipe ends it silently") func head() async throws {
      let result = try await Command.run(
        ["train", "--help"], shell: "\"$@\" | head -1; exit ${PIPESTATUS[0]}")
      #expect([0, 128 + SIGPIPE].contains(result.exitCode) && result.errors.isEmpty, "\(result)")
      #expect(result.output.split(separator: "\n").count == 1)
    }

    @Test("closed standard streams are harmless") func closedStreams() async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(
        ShortTraining.arguments(thousandImages: 1, in: folder), shell: "exec \"$@\" <&- >&- 2>&-")
      #expect(result.exitCode == 0)
      let run = SavedRun(url: folder.appending(path: "00000-mnist-test"))
      try run.expectWhole()
      #expect(try run.states == [1000] && run.statistics().count == 1)
    }

    #if os(Linux)
      @Test("output to a full disk exits with 1") func fullOutput() async throws {
        let network = try await ShortTraining.finished.value
        let result = try await Command.run(["info", "--network", network.path], shell: "\"$@\" > /dev/full")
        #expect(result.isFailure(1, "standard output: cannot be written"), "\(result)")
      }
    #endif
  }
}
