import DDNFiles
import Foundation
import Testing

extension CommandTests {
  @Suite("Processes that share a job's images") struct RankSharingTests {
    /// Runs a job alone and on ranks, and expects the same files.
    private func expectSame(_ arguments: [String], ranks: Int, output: String) async throws {
      var folders: [URL] = []
      var printed: [[Substring]] = []
      for count in [1, ranks] {
        let folder = try Scratch.folder()
        let results = try await Ranks.run(count, arguments, in: folder)
        try #require(results.allSatisfy { $0.exitCode == 0 }, "\(results)")
        #expect(results.dropFirst().allSatisfy { $0.output.isEmpty && $0.errors.isEmpty })
        printed.append(
          results[0].output.split(separator: "\n").filter { !$0.contains("images a second") && !$0.contains("/") })
        folders.append(folder.appending(path: output))
      }
      #expect(printed[0] == printed[1])
      let names = try FileManager.default.subpathsOfDirectory(atPath: folders[0].deletingLastPathComponent().path)
      #expect(
        try FileManager.default.subpathsOfDirectory(atPath: folders[1].deletingLastPathComponent().path).sorted()
          == names.sorted())
      for name in names where !name.hasSuffix("ddn-output.json") {
        let files = folders.map { $0.deletingLastPathComponent().appending(path: name) }
        #expect(FileManager.default.contentsEqual(atPath: files[0].path, andPath: files[1].path), "\(name) differs")
      }
    }

    @Test("generated images are those of one process", arguments: [2, 3]) func generate(ranks: Int) async throws {
      try await expectSame(
        ["generate", "--seeds", "0-129", "--threads", "1", "--batch", "32"], ranks: ranks, output: "generated")
    }

    @Test("reconstructions and their report are those of one process") func reconstruct() async throws {
      try await expectSame(
        ["reconstruct", "--count", "50", "--rows", "20", "--threads", "1"], ranks: 3, output: "reconstructed")
    }

    @Test("the file of codes is that of one process") func encode() async throws {
      try await expectSame(["encode", "--count", "50", "--threads", "1"], ranks: 2, output: "codes.ddn")
    }

    @Test(
      "guided images, their pictures and scores are those of one process",
      arguments: [
        (2, ["--guide", "sr:4", "--guide", "class:3", "--count", "5", "--samples", "3", "--levels"]),
        // One target, whose samples are shared.
        (3, ["--guide", "mask:top", "--count", "1", "--samples", "7", "--levels"]),
        // More ranks than samples.
        (3, ["--guide", "class:4", "--samples", "2"]),
      ])
    func guide(ranks: Int, arguments: [String]) async throws {
      try await expectSame(
        ["guide", "--network", "mnist-k8-l3", "--threads", "1"] + arguments, ranks: ranks, output: "guided")
    }

    @Test("an evaluation of guides has the rows of one process, but for times") func guideEvaluation() async throws {
      let arguments = [
        "guide", "--evaluate", "--network", "mnist-k8-l3", "--guide", "sr:4", "--guide", "noise:0.5", "--count", "7",
        "--samples", "2", "--batch", "4", "--threads", "1",
      ]
      func rows(_ ranks: Int) async throws -> [NSDictionary] {
        let folder = try Scratch.folder()
        let results = try await Ranks.run(ranks, arguments, in: folder)
        try #require(results.allSatisfy { $0.exitCode == 0 }, "\(results)")
        #expect(results.dropFirst().allSatisfy { $0.output.isEmpty && $0.errors.isEmpty })
        let data = try Data(contentsOf: folder.appending(path: "guided-evaluation/evaluation.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]]).map { row in
          var row = row
          row["seconds"] = nil
          return row as NSDictionary
        }
      }
      let alone = try await rows(1)
      #expect(alone.count == 8)
      #expect(try await rows(3) == alone)
    }

    @Test("features, statistics and distances are those of one process", arguments: [2, 3])
    func features(ranks: Int) async throws {
      // 70 images: some ranks have one batch more.
      let images = try Scratch.folder()
      for (seeds, name) in [("0-69", "a"), ("100-169", "b")] {
        let drawn = try await Command.run(
          ["generate", "--network", "mnist-k8-l3", "--seeds", seeds, "--outdir", name, "--prior", "none"], in: images)
        try #require(drawn.exitCode == 0, "\(drawn)")
      }
      let (a, b) = (images.appending(path: "a/images").path, images.appending(path: "b/images").path)
      let usual = ["--detector", "digits", "--batch", "16", "--threads", "1", "--cache", "cache"]
      try await expectSame(["fid", "ref", "--data", a, "--dest", "a.npz"] + usual, ranks: ranks, output: "a.npz")
      try await expectSame(
        ["fid", "calc", "--images", b, "--ref", a, "--num", "65"] + usual, ranks: ranks, output: "cache")
      try await expectSame(
        ["evaluate", "--images", b, "--ref", a, "--json", "report.json"] + usual, ranks: ranks, output: "report.json")
      try await expectSame(
        [
          "evaluate", "--network", "mnist-k8-l3", "--seeds", "0-59", "--runs", "2", "--ref", a, "--json", "report.json",
        ] + usual, ranks: ranks, output: "report.json")
      try await expectSame(
        [
          "generate", "--network", "mnist-k8-l3", "--seeds", "0-59", "--fid-ref", a, "--detector", "digits",
          "--threads", "1", "--cache", "none",
        ], ranks: ranks, output: "generated")
    }

    @Test("features that one process left are continued by others, and the other way round") func resuming()
      async throws
    {
      let folder = try Scratch.folder()
      let drawn = try await Command.run(["generate", "--seeds", "0-99", "--prior", "none"], in: folder)
      try #require(drawn.exitCode == 0, "\(drawn)")
      func reference(_ ranks: Int, _ name: String) async throws -> Data {
        let results = try await Ranks.run(
          ranks,
          [
            "fid", "ref", "--data", "generated/images", "--dest", name, "--detector", "digits", "--batch", "10",
            "--threads", "1", "--cache", "cache",
          ], in: folder)
        try #require(results.allSatisfy { $0.exitCode == 0 }, "\(results)")
        return try Data(contentsOf: folder.appending(path: name))
      }
      let whole = try await reference(1, "whole.npz")
      let cache = folder.appending(path: "cache")
      let file = cache.appending(path: try #require(try Folder.names(in: cache).first))
      for ranks in [3, 1, 2] {  // As if stopped in the middle.
        let bytes = try Data(contentsOf: file)
        try bytes.prefix(bytes.count / 2).write(to: file)
        #expect(try await reference(ranks, "\(ranks).npz") == whole)
      }
    }

    @Test("other images on one rank end all, and rank 0 names it") func otherImages() async throws {
      let folder = try Scratch.folder()
      for (seeds, name) in [("0-9", "0"), ("10-19", "1")] {
        let drawn = try await Command.run(["generate", "--seeds", seeds, "--outdir", name], in: folder)
        try #require(drawn.exitCode == 0, "\(drawn)")
      }
      let results = try await Ranks(2, in: folder) { rank in
        ["fid", "ref", "--data", "\(rank)/images", "--dest", "a.npz", "--detector", "digits", "--cache", "none"]
      }.results()
      #expect(results.map(\.exitCode) == [65, 65], "\(results)")
      #expect(results[0].isFailure(65, "rank 1 has other images or another detector than rank 0"), "\(results[0])")
      #expect(try !Folder.names(in: folder).contains("a.npz"))
    }
  }
}
