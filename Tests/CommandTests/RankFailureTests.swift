import DDNFiles
import Foundation
import Images
import Testing

extension CommandErrorTests {
  @Suite("Processes that fail together") struct RankFailureTests {
    @Test("a killed rank ends the others within seconds, with one line, and nothing saved is lost")
    func killed() async throws {
      let folder = try Scratch.folder()
      let ranks = try Ranks(2) { _ in ShortTraining.arguments(thousandImages: 1000, in: folder) }
      try await ranks.commands[0].waitForOutput("2000 images")
      ranks.commands[1].send(SIGKILL)
      let start = ContinuousClock.now
      let results = try await ranks.results()
      #expect(ContinuousClock.now - start < .seconds(10))
      #expect(results[0].isFailure(1, "another process of the group has ended"), "\(results[0])")
      #expect(results[1].exitCode == 128 + SIGKILL)
      let run = SavedRun(url: folder.appending(path: "00000-mnist-test"))
      try run.expectWhole()
      #expect(try run.states.last ?? 0 >= 1000)
    }

    @Test("a rank that is not started ends the others after the timeout", arguments: [0, 1])
    func missing(rank: Int) async throws {
      let start = ContinuousClock.now
      let folder = try Scratch.folder()
      let others = rank..<rank + 1
      let results = try await Ranks(2, starts: others, environment: "DDN_JOIN_SECONDS=2") { _ in
        ShortTraining.arguments(thousandImages: 1, in: folder)
      }.results()
      #expect(ContinuousClock.now - start < .seconds(15))
      #expect(results[0].isFailure(1, "could not join the group of 2 ranks at 127.0.0.1"), "\(results[0])")
      #expect(try Folder.names(in: folder).isEmpty)
    }

    @Test("other images on one rank end all, and rank 0 names it") func otherImages() async throws {
      let folder = try Scratch.folder()
      for shade in [10, 20] {
        for index in 0..<4 {
          try Folder.create(folder.appending(path: "\(shade)"))
          try Bitmap(width: 32, height: 32, channels: 1, pixels: [UInt8](repeating: UInt8(shade + index), count: 1024))
            .write(to: folder.appending(path: "\(shade)/\(index).png"))
        }
      }
      let results = try await Ranks(2) { rank in
        ShortTraining.arguments(thousandImages: 1, in: folder.appending(path: "runs"))
          + ["--data", folder.appending(path: rank == 0 ? "10" : "20").path]
      }.results()
      #expect(results.map(\.exitCode) == [65, 65])
      #expect(results[0].isFailure(65, "rank 1 has other images than rank 0"), "\(results[0])")
      #expect(try Folder.names(in: folder).sorted() == ["10", "20"])
    }

    @Test("a full disk at the last save of rank 0 ends all with one line each") func fullDisk() async throws {
      let folder = try Scratch.folder()
      let arguments = [
        "train", "--nodes", "64", "--levels", "2", "--width", "8", "--batch", "16", "--duration", "0.000032",
        "--outdir", folder.path,
      ]
      let results = try await Ranks(2, limit: "ulimit -f 200") { _ in arguments }.results()
      #expect(results.map(\.exitCode) == [1, 1])
      #expect(results[0].errors.contains("ddn: \(folder.path)/00000-mnist-test/"), "\(results[0])")
      #expect(results[1].isFailure(1, "rank 1: another process of the group has ended"), "\(results[1])")
      #expect(try SavedRun(url: folder.appending(path: "00000-mnist-test")).states.isEmpty)
    }

    @Test("a batch that ranks cannot share is wrong usage") func batch() async throws {
      let folder = try Scratch.folder()
      let results = try await Ranks.run(3, ["train", "--batch", "128", "--outdir", folder.path])
      #expect(results.map(\.exitCode) == [64, 64, 64])
      #expect(results[0].isFailure(64, "128 images does not divide among 3 ranks; the next that does is 129"))
      #expect(results[1].errors.isEmpty && results[2].errors.isEmpty)
    }

    @Test(
      "a command that does not share its work refuses several processes",
      arguments: ["guide figure classes", "encode --evaluate", "ablate"])
    func alone(command: String) async throws {
      let results = try await Ranks.run(2, command.split(separator: " ").map(String.init))
      #expect(results.map(\.exitCode) == [64, 64])
      #expect(results[0].isFailure(64, "works in one process, but 2 were started"), "\(results[0])")
    }

    @Test("a wrong variable of the launcher is wrong usage") func environment() async throws {
      let result = try await Command.run(["train", "-n"], shell: "RANK=2 WORLD_SIZE=2 exec \"$@\"")
      #expect(result.exitCode == 0, "a dry run joins nobody: \(result.errors)")
      let wrong = try await Command.run(["train"], shell: "RANK=2 WORLD_SIZE=2 exec \"$@\"")
      #expect(wrong.isFailure(64, "RANK is '2', not a number within 0...1"), "\(wrong)")
    }
  }
}
