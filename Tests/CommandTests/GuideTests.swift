import DDNFiles
import Foundation
import Images
import Testing

extension CommandTests {
  @Suite("ddn guide") struct GuideTests {
    @Test("samples, conditions, a grid, codes and scores are written, and repeat for any batch size")
    func samples() async throws {
      let folder = try Scratch.folder()
      let arguments = ["guide", "--network", "mnist-k8-l3", "--guide", "sr:4", "--count", "2", "--samples", "3"]
      for (name, batch) in [("a", "64"), ("b", "4")] {
        let result = try await Command.run(
          arguments + ["--beams", "2", "--levels", "--outdir", name, "--batch", batch], in: folder)
        #expect(result.exitCode == 0, "\(result)")
      }
      struct Record: Decodable {
        struct Image: Decodable {
          struct Score: Decodable {
            let guide: String
            let score: Double
          }
          let file: String
          let code: String
          let scores: [Score]
        }
        let images: [Image]
      }
      let data = try Data(contentsOf: folder.appending(path: "a/guide.json"))
      let record = try JSONDecoder().decode(Record.self, from: data)
      #expect(record.images.map(\.file).prefix(4).last == "images/000001/000000.png" && record.images.count == 6)
      for image in record.images {
        #expect(image.scores.map(\.guide) == ["sr:4"] && image.scores[0].score < 0)
        let bytes = try ["a", "b"].map { try Data(contentsOf: folder.appending(path: "\($0)/\(image.file)")) }
        #expect(bytes[0] == bytes[1])
      }
      for name in ["conditions/000000.png", "conditions/000001.png", "guided.png", "levels.png"] {
        #expect(try PNG.read(folder.appending(path: "a/\(name)")).width >= 32, "\(name)")
      }
      // The codes are those of the images.
      let decoded = try await Command.run(
        ["decode", "a/codes.txt", "--network", "mnist-k8-l3", "--outdir", "c"], in: folder)
      #expect(decoded.exitCode == 0, "\(decoded)")
      #expect(
        try Data(contentsOf: folder.appending(path: "c/images/000000.png"))
          == Data(contentsOf: folder.appending(path: "a/images/000000/000000.png")))
    }

    @Test("without targets, a class needs none") func targetless() async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(
        ["guide", "--network", "mnist-k8-l3", "--guide", "class:3", "--seeds", "5,9"], in: folder)
      #expect(result.exitCode == 0, "\(result)")
      #expect(
        try Folder.names(in: folder.appending(path: "guided/images")).sorted() == [
          "000005.png", "000009.png", "dataset.json",
        ])
    }

    @Test("a network with the guide's classes is conditioned on the class that the guide asks for")
    func guideClass() async throws {
      let folder = try Scratch.folder()
      for (option, expected) in [([], "6"), (["--class", "2"], "2")] {
        // Again, it continues, though the folder is now named like the guide's class.
        for _ in 0..<2 {
          let result = try await Command.run(
            ["guide", "--network", "cifar10", "--guide", "class:6", "--samples", "2", "--outdir", expected] + option,
            in: folder)
          #expect(result.exitCode == 0, "\(result)")
        }
        let lines = try String(contentsOf: folder.appending(path: "\(expected)/codes.txt"), encoding: .utf8)
          .split(separator: "\n")
        #expect(lines.count == 2 && lines.allSatisfy { $0.hasSuffix(" \(expected)") }, "\(lines)")
      }
    }

    @Test("an evaluation has a row for each bound and guide, and resumes") func evaluation() async throws {
      let folder = try Scratch.folder()
      let arguments = [
        "guide", "--evaluate", "--network", "mnist-k8-l3", "--count", "3", "--samples", "2", "--beams", "2", "--guide",
        "sr:4", "--guide", "mask:top",
      ]
      let first = try await Command.run(arguments, in: folder)
      #expect(first.exitCode == 0, "\(first)")
      let table = try String(contentsOf: folder.appending(path: "guided-evaluation/evaluation.md"), encoding: .utf8)
      for method in ["reconstruction", "random samples", "measurement enlarged", "guided, 1 beam", "guided, 2 beams"] {
        #expect(table.contains("| sr:4 | \(method) |") && table.contains("| mask:top | \(method) |"), "\(method)")
      }
      // Rows that are there are kept, with their times.
      let again = try await Command.run(arguments, in: folder)
      #expect(again.exitCode == 0 && again.output.hasPrefix(table), "\(again)")
    }

    @Test("figures are drawn") func figures() async throws {
      let folder = try Scratch.folder()
      for arguments in [
        ["tasks", "--rows", "2"], ["classes", "--rows", "2"],
        ["mixtures", "--guide", "mask:top", "--guide", "class:3", "--rows", "2"],
      ] {
        let result = try await Command.run(["guide", "figure", "--network", "mnist-k8-l3"] + arguments, in: folder)
        #expect(result.exitCode == 0, "\(result)")
        #expect(try PNG.read(folder.appending(path: "\(arguments[0]).png")).width > 300)
        let refused = try await Command.run(["guide", "figure", "--network", "mnist-k8-l3"] + arguments, in: folder)
        #expect(refused.isFailure(1, "--overwrite"), "\(refused)")
      }
    }

    @Test("the list describes every guide, and masks are drawn") func list() async throws {
      let folder = try Scratch.folder()
      let all = try await Command.run(["guide", "list", "--masks", "masks.png"], in: folder)
      #expect(all.exitCode == 0)
      let described = try await Command.run(["guide", "list"], in: folder)
      for name in ["l2", "sr", "mask", "class", "clip", "program", "weight="] {
        #expect(described.output.contains("\(name)  "), "\(name)")
      }
      #expect(try PNG.read(folder.appending(path: "masks.png")).width > 300)
      let unknown = try await Command.run(["guide", "list", "magic"], in: folder)
      #expect(unknown.isFailure(64, "there is no guide 'magic'"), "\(unknown)")
    }

    @Test(
      "what cannot be used is one line",
      arguments: [
        ([], 64, "give a guide"), (["--guide", "sr"], 64, "needs a factor"),
        (["--guide", "magic:1"], 64, "there is no guide 'magic'"),
        (["--guide", "gray"], 64, "images are gray"), (["--guide", "class:12"], 64, "class"),
        (["--guide", "mask:nothing.png"], 66, "no such file"), (["--guide", "sr:4", "--top-k", "0"], 64, "'0'"),
        (["--guide", "sr:4", "--image", "none.png"], 66, "no such file"),
        (["--guide", "sr:4", "--class", "1"], 64, "no classes"),
        (["--guide", "sr:4", "--condition-image", "x.png"], 64, "not conditioned on images"),
        (["--guide", "sr:4", "--network", "faces64"], 64, "needs a target"),
        (["--guide", "clip:a smile"], 64, "weights"), (["--guide", "program:exit 3"], 1, "exit 3"),
        (["--guide", "sr:4", "--seeds", "1", "--samples", "2"], 64, "exclude each other"),
        (["--evaluate", "--guide", "class:1"], 64, "not linear"),
        (["--evaluate", "--combine", "standardized"], 64, "takes each alone"),
        (["--evaluate", "--condition-image", "x.png"], 64, "conditions on each target"),
        (["--guide", "sr:16xabcx16"], 64, "nor a resolution"), (["--guide", "sr:x16x16"], 64, "nor a resolution"),
        (["--guide", "sr:4", "--count", "100000000"], 64, "count"),
        (["--guide", "script:none.pt"], 66, "no such file"),
      ] as [([String], Int32, String)])
    func wrong(arguments: [String], status: Int32, problem: String) async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(["guide"] + arguments, in: folder)
      #expect(result.isFailure(status, problem), "\(result)")
      #expect(try Folder.names(in: folder).filter { $0 != "guided" && $0 != "guided-evaluation" }.isEmpty)
    }
  }
}
