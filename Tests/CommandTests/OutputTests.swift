import DDNFiles
import Foundation
import Testing

extension CommandErrorTests {
  @Suite("Outputs are written to their folder, and nothing is overwritten or mixed silently") struct OutputTests {
    private static func generate(_ arguments: [String], in folder: URL) async throws -> Command.Result {
      let network = try await ShortTraining.finished.value
      return try await Command.run(["generate", "--network", network.path, "--outdir", "out"] + arguments, in: folder)
    }

    private static func decode(_ arguments: [String], in folder: URL) async throws -> Command.Result {
      let network = try await ShortTraining.finished.value
      return try await Command.run(["decode", "--network", network.path, "--outdir", "out"] + arguments, in: folder)
    }

    private static func images(in folder: URL) throws -> [String] {
      try Folder.names(in: folder.appending(path: "out/images")).filter { $0.hasSuffix(".png") }
    }

    @Test("a folder that is no model or classifier does not hide the shipped one of its name") func shippedNames()
      async throws
    {
      let folder = try Scratch.folder()
      for name in ["mnist", "digits"] { try Folder.create(folder.appending(path: name)) }
      let drawn = try await Command.run(["generate", "--seeds", "0-3", "--outdir", "out"], in: folder)
      #expect(drawn.exitCode == 0, "\(drawn)")
      let guided = try await Command.run(
        ["guide", "--guide", "class:7", "--samples", "1", "--network", "mnist-k8-l3"], in: folder)
      #expect(guided.exitCode == 0, "\(guided)")
    }

    @Test(
      "a result that cannot be written is refused before the work, and leaves nothing",
      arguments: [
        (["evaluate", "--network", "mnist", "--seeds", "0-99999", "--json", "none/x.json"], "none/x.json"),
        (["fid", "ref", "--data", "none.zip", "--detector", "digits", "--dest", "kept"], "is a folder"),
        (["toy", "--nodes", "5000000", "--json", "kept.json"], "kept.json: exists"),
        (["tree", "draw", "--network", "mnist-k8-l3", "--out", "none/tree.png"], "none/tree.png"),
      ]) func unwritable(arguments: [String], part: String) async throws
    {
      let folder = try Scratch.folder()
      try Folder.create(folder.appending(path: "kept"))
      try Data("mine".utf8).write(to: folder.appending(path: "kept.json"))
      let result = try await Command.run(arguments, in: folder)
      #expect(result.isFailure(1, part), "\(result)")
      #expect(try Folder.names(in: folder) == ["kept", "kept.json"])
      #expect(try Data(contentsOf: folder.appending(path: "kept.json")) == Data("mine".utf8))
    }

    @Test(
      "wrong names of outputs, and options without effect, are wrong usage",
      arguments: [
        (["tree", "draw", "--network", "mnist-k8-l3", "--page", "tree.png"], "--page tree.png"),
        (["fid", "ref", "--data", "a.zip", "--detector", "digits", "--dest", ""], "--dest has an empty value"),
        (["decode", "1.2", "--levels", "99"], "this model has 10"),
        (["decode", "1.2", "--prior", "some.safetensors"], "--prior is for a .ddn file"),
        (["guide", "--guide", "sr:33"], "a factor within 1...32"),
      ]) func wrongUsage(arguments: [String], part: String) async throws
    {
      let folder = try Scratch.folder()
      let result = try await Command.run(arguments, in: folder)
      #expect(result.isFailure(64, part), "\(result)")
      #expect(try Folder.names(in: folder) == [])
    }

    @Test("a job that fails before its first file leaves no folder") func noFolder() async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(
        ["guide", "--guide", "program:false", "--network", "mnist-k8-l3", "--count", "1", "--samples", "1"], in: folder)
      #expect(result.exitCode == 1, "\(result)")
      #expect(try Folder.names(in: folder) == [])
    }

    @Test("the same command resumes; another one needs --overwrite, which removes the first one's outputs")
    func generating() async throws {
      let folder = try Scratch.folder()
      #expect(try await Self.generate(["--seeds", "0-9"], in: folder).exitCode == 0)
      let first = try Data(contentsOf: folder.appending(path: "out/images/000003.png"))
      try FileManager.default.removeItem(at: folder.appending(path: "out/images/000003.png"))
      #expect(try await Self.generate(["--seeds", "0-9"], in: folder).exitCode == 0)
      #expect(try Data(contentsOf: folder.appending(path: "out/images/000003.png")) == first)

      let other = try await Self.generate(["--seeds", "3,20"], in: folder)
      #expect(other.isFailure(1, "holds the outputs of another ddn generate"), "\(other)")
      #expect(try Self.images(in: folder).count == 10)
      try Data("mine".utf8).write(to: folder.appending(path: "out/mine.txt"))
      let replaced = try await Self.generate(["--seeds", "3,20", "--overwrite"], in: folder)
      #expect(replaced.exitCode == 0, "\(replaced)")
      #expect(try Self.images(in: folder) == ["000003.png", "000020.png"])
      #expect(
        try Folder.names(in: folder.appending(path: "out")) == [".ddn-output.json", "codes.txt", "images", "mine.txt"])
      #expect(try Folder.names(in: folder) == ["out"])
    }

    @Test(
      "every drawing command refuses a folder with other files",
      arguments: [
        "generate", "reconstruct", "demo", "toy",
      ])
    func foreign(command: String) async throws {
      let folder = try Scratch.folder()
      try Data("mine".utf8).write(to: folder.appending(path: "codes.txt"))
      let result = try await Command.run([command, "--outdir", "."], in: folder)
      #expect(result.isFailure(1, "files, such as codes.txt; choose another with --outdir, or give --overwrite"))
      #expect(try Folder.names(in: folder) == ["codes.txt"])
    }

    @Test("killed and restarted, all images are written, and existing ones are not drawn again")
    func killed() async throws {
      let folder = try Scratch.folder()
      let seeds = ["--seeds", "0-1999", "--batch", "20", "--threads", "1"]
      let network = try await ShortTraining.finished.value
      let command = try Command(["generate", "--network", network.path, "--outdir", "out"] + seeds, in: folder)
      while try Self.images(in: folder).count < 300 { try await Task.sleep(for: .milliseconds(5)) }
      command.send(SIGKILL)
      _ = try await command.result()
      let there = try Self.images(in: folder)
      func date(_ name: String) throws -> Date? {
        try folder.appending(path: "out/images/\(name)").resourceValues(forKeys: [.contentModificationDateKey])
          .contentModificationDate
      }
      let before = try date("000150.png")
      let again = try await Self.generate(seeds, in: folder)
      #expect(again.exitCode == 0 && there.count < 2000, "\(again)")
      #expect(try Self.images(in: folder).count == 2000)
      #expect(try date("000150.png") == before)
      #expect(try Folder.names(in: folder.appending(path: "out/images")).filter { $0.hasPrefix(".") } == [])
    }

    @Test("codes come from a list, a file or standard input, with names of constant length") func codes()
      async throws
    {
      let folder = try Scratch.folder()
      #expect(try await Self.decode(["0.1, 3.2,0"], in: folder).exitCode == 0)
      #expect(try Self.images(in: folder) == ["000000.png", "000001.png", "000002.png"])
      let lines = (0..<20_000).map { "name \($0).png \($0 % 4).\($0 / 4 % 4)\n" }.joined()
      try Data("# a comment\n\n\(lines)".utf8).write(to: folder.appending(path: "codes.txt"))
      let dry = try await Self.decode(["codes.txt", "--dry-run"], in: folder)
      #expect(dry.exitCode == 0 && dry.output.contains("would draw 20000 images"), "\(dry)")
      let network = try await ShortTraining.finished.value
      let piped = try await Command.run(
        ["decode", "--network", network.path, "-", "--dry-run"],
        shell: "echo '1.2' | \"$@\"", in: folder)
      #expect(piped.output.contains("would draw 1 image with"), "\(piped)")
      try Data("a 0.1\nb 0.9\n".utf8).write(to: folder.appending(path: "bad.txt"))
      let bad = try await Self.decode(["bad.txt"], in: folder)
      #expect(bad.isFailure(65, "bad.txt, line 2: choice 9 at level 2 is not within 0...3"), "\(bad)")
      let missing = try await Self.decode(["no/such.txt"], in: folder)
      #expect(missing.isFailure(66, "no/such.txt"), "\(missing)")
    }

    #if os(Linux)
      @Test("a dumb terminal gets no control characters, another one a status line")
      func dumb() async throws {
        let network = try await ShortTraining.finished.value
        for (terminal, isLive) in [("dumb", false), ("xterm", true)] {
          let result = try await Command.run(
            ["generate", "--network", network.path, "--seeds", "0-2000", "--outdir", "out"],
            shell: "printf -v line '%q ' \"$@\"; TERM=\(terminal) script -qec \"$line\" /dev/null < /dev/null",
            in: Scratch.folder())
          #expect(result.exitCode == 0 && result.output.contains("\u{1B}") == isLive, "\(result)")
        }
      }
    #endif
  }
}
