import DDNFiles
import Foundation
import Images
import Testing

extension CommandErrorTests {
  @Suite("A stopped or killed run loses nothing that was saved") struct KillTests {
    @Test("killed twenty times at random and resumed, it ends with the weights of an undisturbed run")
    func kill() async throws {
      let thousandImages = 60
      let quiet = try await Self.uninterrupted(thousandImages: thousandImages)
      var random = SplitMix(state: 20_250_101)

      let folder = try Scratch.folder()
      let run = SavedRun(url: folder.appending(path: "00000-mnist-test"))
      let resume = ["train", "--threads", "1", "--resume", run.url.path]
      var (newest, kills) = (0, 0)
      for round in 0..<20 {
        let start = round == 0 ? ShortTraining.arguments(thousandImages: thousandImages, in: folder) : resume
        let command = try Command(start)
        if round % 5 == 4 {
          // While it starts.
          try await Task.sleep(for: .seconds(0.8 * random.fraction()))
        } else {
          try await command.waitForOutput("images,")
          try await Task.sleep(for: .seconds(1.5 * quiet.secondsOfTick * random.fraction()))
        }
        command.send(SIGKILL)
        let result = try await command.result()
        kills += result.exitCode == 128 + SIGKILL ? 1 : 0
        #expect([0, 128 + SIGKILL].contains(result.exitCode), "\(result.errors)")

        try run.expectWhole()
        // A tick's line is printed before its save, and the next line after.
        let printed = result.output.split(separator: "\n").filter { $0.contains("perplexity") }
          .compactMap { $0.split(separator: " ").first.flatMap { Int($0) } }
        let saved = try run.states.last ?? 0
        #expect(saved >= max(newest, printed.dropLast().last ?? 0))
        newest = saved
      }
      #expect(kills >= 15, "most kills must hit a living process")
      #expect(newest > 0, "some saves must lie between the kills")

      let last = try await Command.run(resume)
      #expect(last.exitCode == 0, "\(last.errors)")
      try run.expectWhole()
      try run.expectEqual(to: quiet.run)
      #expect(try run.statistics() == quiet.run.statistics())
      #expect(try run.leftovers == [])
    }

    @Test(
      "on every termination signal it saves, exits with 130, and resumes to the same result",
      arguments: [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU])
    func stop(signal: Int32) async throws {
      let quiet = try await Self.shortReference.value
      let folder = try Scratch.folder()
      let run = SavedRun(url: folder.appending(path: "00000-mnist-test"))
      let command = try Command(ShortTraining.arguments(thousandImages: 8, in: folder))
      try await command.waitForOutput("1000 images")
      for _ in 0..<3 {  // Like launchers: several at once, and once more during the save.
        command.send(signal)
        try await Task.sleep(for: .milliseconds(3))
      }
      let stopped = try await command.result()
      #expect(stopped.exitCode == 130)
      let lines = stopped.errors.split(separator: "\n", omittingEmptySubsequences: false)
      try #require(lines.count == 3 && lines[2].isEmpty, "\(stopped.errors)")
      #expect(lines[0] == "saving and stopping; Ctrl-C again after 3 seconds stops at once without saving")
      let images = try #require(try run.states.last)
      #expect(lines[1].hasPrefix("ddn: interrupted after \(images) images; everything is saved in \(run.url.path)"))
      try run.expectWhole()

      let resumed = try await Command.run(["train", "--threads", "1", "--resume", run.url.path])
      #expect(resumed.exitCode == 0 && resumed.output.contains("continuing after \(images) of 8000 images"))
      try run.expectEqual(to: quiet.run)
    }

    @Test("a signal at any moment of the start ends it") func early() async throws {
      let folder = try Scratch.folder()
      for milliseconds in stride(from: 20, to: 500, by: 30) {
        let command = try Command(
          ["classifier", "train", "--threads", "1", "--outdir", "at-\(milliseconds)"], in: folder)
        try await Task.sleep(for: .milliseconds(milliseconds))
        command.send(SIGTERM)
        let result = try await command.result()  // A lost signal would let it train for minutes.
        #expect([128 + SIGTERM, 130].contains(result.exitCode), "after \(milliseconds) ms: \(result)")
        #expect(!result.output.contains("100000 images"))
      }
    }

    @Test("a closed pipe is a stop") func closedPipe() async throws {
      let folder = try Scratch.folder()
      let run = SavedRun(url: folder.appending(path: "00000-mnist-test"))
      let result = try await Command.run(
        ShortTraining.arguments(thousandImages: 1000, in: folder), shell: "\"$@\" | head -1; exit ${PIPESTATUS[0]}")
      #expect(result.exitCode == 130 && result.errors.contains("everything is saved in"), "\(result)")
      #expect(try run.states.last ?? 0 > 0)
      try run.expectWhole()
    }

    @Test("two signals within milliseconds, as from timeout, are one stop") func timeout() async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(
        ShortTraining.arguments(thousandImages: 1000, in: folder), shell: "timeout -s TERM 2 \"$@\"")
      #expect(result.exitCode == 124 && result.errors.contains("everything is saved in"), "\(result)")
      #expect(try !SavedRun(url: folder.appending(path: "00000-mnist-test")).states.isEmpty)
    }

    @Test("under nohup a closed terminal does not stop it") func nohup() async throws {
      let folder = try Scratch.folder()
      let command = try Command(
        ShortTraining.arguments(thousandImages: 4, in: folder), shell: "trap '' HUP; exec \"$@\"")
      try await command.waitForOutput("images,")
      command.send(SIGHUP)
      #expect(try await command.result().exitCode == 0)
    }

    @Test("a large pyramid stops within its long first step, and can be resumed")
    func largePyramid() async throws {
      let folder = try Scratch.folder()
      try Folder.create(folder.appending(path: "pictures"))
      for index in 0..<2 {
        try Bitmap(
          width: 32, height: 32, channels: 3, pixels: [UInt8](repeating: UInt8(50 * index), count: 32 * 32 * 3)
        )
        .write(to: folder.appending(path: "pictures/\(index).png"))
      }
      // Random choices: images share no paths, which would make a step short.
      let command = try Command(
        [
          "train", "--threads", "1", "--data", "pictures", "--batch", "512", "--max-blockn", "4", "--outdir", "runs",
          "--chain-dropout", "1", "--chain-dropout-per", "sample",
        ], in: folder)
      try await command.waitForOutput("images,")
      try await Task.sleep(for: .seconds(1))
      let start = ContinuousClock.now
      command.send(SIGTERM)
      let result = try await command.result()
      #expect(result.exitCode == 130 && result.errors.contains("interrupted after 0 images"), "\(result)")
      #expect(ContinuousClock.now - start < .seconds(60), "a whole step takes minutes")
      #expect(try SavedRun(url: folder.appending(path: "runs/00000-pictures")).states == [0])
    }

    @Test("killed between a state and its model, it writes the model when resumed")
    func missingModel() async throws {
      let run = SavedRun(url: try await ShortTraining.copy())
      try FileManager.default.removeItem(at: run.model)
      let resumed = try await Command.run(["train", "--threads", "1", "--resume", run.url.path])
      #expect(resumed.exitCode == 0, "\(resumed.errors)")
      try run.expectEqual(to: SavedRun(url: try await ShortTraining.finished.value))
    }

    @Test("a longer duration with --resume also holds for the next --resume")
    func longer() async throws {
      let url = try await ShortTraining.copy()
      let longer = ["train", "--threads", "1", "--resume", url.path, "--duration", "0.003"]
      #expect(try await Command.run(longer).exitCode == 0)
      let again = try await Command.run(["train", "--dry-run", "--resume", url.path])
      #expect(again.output.contains("\"images\" : 3000,"))
      #expect(try SavedRun(url: url).states.last == 3000)
    }

    private static let shortReference = Task { try await uninterrupted(thousandImages: 8) }

    private static func uninterrupted(thousandImages: Int) async throws -> (run: SavedRun, secondsOfTick: Double) {
      let folder = try Scratch.folder()
      let command = try Command(ShortTraining.arguments(thousandImages: thousandImages, in: folder))
      try await command.waitForOutput("images,")
      let start = ContinuousClock.now
      let result = try await command.result()
      try #require(result.exitCode == 0, "\(result.errors)")
      return (
        SavedRun(url: folder.appending(path: "00000-mnist-test")),
        (ContinuousClock.now - start) / .seconds(thousandImages)
      )
    }
  }
}

/// Reproducible random numbers.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func fraction() -> Double { .random(in: 0..<1, using: &self) }
}
