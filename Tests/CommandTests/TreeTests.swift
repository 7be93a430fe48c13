import DDNFiles
import Foundation
import Images
import Testing

extension CommandTests {
  @Suite("ddn tree") struct TreeTests {
    private static let small = ["--network", "mnist-k8-l3", "--threads", "1"]

    @Test("labels are read off the tree, more with more labelled images") func classify() async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(
        [
          "tree", "classify", "--labels", "64,9000", "--draws", "2", "--rules", "votes,smoothed", "--outdir",
          "codes",
        ]
          + Self.small, in: folder)
      #expect(result.exitCode == 0, "\(result)")
      let lines = result.output.split(separator: "\n")
      try #require(lines.count == 4)
      let votes = lines[2].split(separator: " ")
      #expect(votes[0] == "votes" && votes[2] == "±" && votes.count == 5, "\(votes)")
      let (few, all) = (try #require(Double(votes[1])), try #require(Double(votes[4])))
      #expect(few > 35 && all > few + 5 && all < 100)
      let codes = try String(contentsOf: folder.appending(path: "codes/codes.txt"), encoding: .utf8)
      #expect(codes.split(separator: "\n").count == 9000)
      // Codes with less error are purer.
      let searched = try await Command.run(
        ["tree", "classify", "--labels", "9000", "--rules", "votes", "--beams", "8"] + Self.small, in: folder)
      let more = searched.output.split(separator: "\n").last?.split(separator: " ").last.flatMap { Double($0) }
      #expect(try #require(more) > all, "\(searched)")
    }

    @Test("a picture, a vector picture and a page are drawn, and not overwritten in silence") func draw() async throws {
      let folder = try Scratch.folder()
      let arguments = ["tree", "draw"] + Self.small
      let first = try await Command.run(
        arguments + ["--size", "400", "--page", "tree.html", "--out", "tree.png"], in: folder)
      #expect(first.exitCode == 0 && first.output.contains("585 nodes"), "\(first)")
      let picture = try PNG.read(folder.appending(path: "tree.png"))
      #expect((300...400).contains(picture.width) && picture.channels == 3)
      let svg = try await Command.run(arguments + ["--out", "a.svg", "--root", "3", "--levels", "1"], in: folder)
      #expect(svg.exitCode == 0 && svg.errors.isEmpty, "\(svg)")
      let text = try String(contentsOf: folder.appending(path: "a.svg"), encoding: .utf8)
      #expect(text.components(separatedBy: "<image").count == 10)
      let again = try await Command.run(arguments, in: folder)
      #expect(again.isFailure(1, "--overwrite"), "\(again)")
      let tiny = try await Command.run(arguments + ["--size", "100", "--out", "b.png"], in: folder)
      #expect(tiny.exitCode == 0 && tiny.errors.contains("deeper level"), "\(tiny)")
    }

    @Test("a code of the set is found first, by prefix and by distance") func search() async throws {
      let folder = try Scratch.folder()
      let encoded = try await Command.run(
        ["reconstruct", "--network", "mnist-k8-l3", "--count", "50", "--outdir", "r"], in: folder)
      #expect(encoded.exitCode == 0)
      let lines = try String(contentsOf: folder.appending(path: "r/codes.txt"), encoding: .utf8).split(separator: "\n")
      let code = String(lines[20].split(separator: " ")[1])
      let arguments = ["tree", "search", "--codes", "r/codes.txt", "--top", "4", code] + Self.small
      for order in ["prefix", "distance"] {
        let result = try await Command.run(arguments + ["--by", order], in: folder)
        #expect(result.exitCode == 0, "\(result)")
        let found = result.output.split(separator: "\n")
        #expect(found.count == 5 && found[1].contains(" \(code)  levels 3"), "\(result)")
      }
      let seeds = try await Command.run(
        ["tree", "search", "--network", "cifar10", "--seeds", "0-99", "3:4", "--top", "1"], in: folder)
      #expect(seeds.exitCode == 0 && seeds.output.contains(" 4  levels "), "\(seeds)")
    }

    @Test("a film has a frame for each tick, goes on when resumed, and becomes an animation") func film() async throws {
      let folder = try Scratch.folder()
      let training = ShortTraining.arguments(thousandImages: 2, in: folder) + ["--film"]
      #expect(try await Command.run(training).exitCode == 0)
      let run = folder.appending(path: "00000-mnist-test")
      let resumed = try await Command.run(["train", "--resume", run.path, "--duration", "0.003", "--threads", "1"])
      #expect(resumed.exitCode == 0, "\(resumed)")
      let frames = try Folder.names(in: run).filter { $0.hasPrefix("tree-") }
      #expect(frames == ["tree-0000001000.png", "tree-0000002000.png", "tree-0000003000.png"])
      let made = try await Command.run(["tree", "film", run.path])
      #expect(made.exitCode == 0 && made.output.contains("3 frames"), "\(made)")
      #expect(FileManager.default.fileExists(atPath: run.appending(path: "tree.webp").path))
      let large = try await Command.run(["train", "--film", "--nodes", "8", "--levels", "5", "-n"])
      #expect(large.isFailure(64, "32768 leaves"), "\(large)")
    }

    @Test(
      "what cannot be used is one line",
      arguments: [
        (["draw", "--out", "tree.gif"], 64, ".png or .svg"), (["draw", "--root", "9"], 65, "choice 9"),
        (["draw", "--root", "3.0.7"], 64, "is an image"), (["draw", "--levels", "4"], 64, "3 levels"),
        (["draw", "--class", "1"], 64, "no classes"), (["draw", "--count", "5"], 64, "--data"),
        (["draw", "--data", "nothing"], 66, "nothing"), (["draw", "--size", "0"], 64, "'0'"),
        (["draw", "--network", "mnist", "--page", "t.html", "--levels", "10"], 64, "nodes"),
        (["classify", "--labels", "0"], 64, "0"), (["classify", "--labels", "10000"], 64, "9000"),
        (["classify", "--rules", "best"], 64, "not a rule"), (["classify", "--network", "cifar10"], 64, "conditioned"),
        (["classify", "--test-data", "x"], 64, "--data"),
        (["search", "3.0.7"], 64, "--data, --codes or --seeds"), (["search", "--seeds", "0-9"], 64, "give a code"),
        (["search", "--seeds", "0-9", "9.0.0"], 65, "choice 9"),
        (["search", "--seeds", "0-9", "no.png"], 66, "no such file"),
        (["search", "--seeds", "0-9", "--codes", "x", "3"], 64, "exclude"),
        (["search", "--codes", "nothing", "3"], 66, "no such file"),
        (["search", "--codes", "bad.txt", "3"], 65, "line 1"),
        (["search", "--network", "cifar10", "--seeds", "0-9", "3"], 64, "no class"),
        (["search", "--seeds", "0-9", "3", "--by", "distance"], 64, "partial"),
        (["film", "nothing"], 66, "no such run folder"),
      ] as [([String], Int32, String)])
    func wrong(arguments: [String], status: Int32, problem: String) async throws {
      let folder = try Scratch.folder()
      try Data("a 3.0\n".utf8).write(to: folder.appending(path: "bad.txt"))
      let network = arguments.contains("--network") || arguments[0] == "film" ? [] : ["--network", "mnist-k8-l3"]
      let result = try await Command.run(["tree"] + arguments + network, in: folder)
      #expect(result.isFailure(status, problem), "\(result)")
      #expect(try Folder.names(in: folder) == ["bad.txt"])
    }
  }
}
