import DDNFiles
import Foundation
import Images
import Testing

extension CommandTests {
  @Suite("ddn fid and ddn evaluate") struct FidTests {
    private struct Report: Decodable {
      struct Row: Decodable { let classIndex, images, referenceImages: Int }
      let distance: String
      let images: Int
      let frechet: Double
      let kid: Double?
      let precision: Double?
      let classes: [Row]?
    }

    /// 60 gray pictures of two classes, drawn by a shipped model, for read-only tests.
    private static let drawn = Task {
      let folder = try Scratch.folder()
      for (seeds, name) in [("0-39", "a"), ("40-79", "b")] {
        let result = try await Command.run(
          ["generate", "--network", "mnist-k8-l3", "--seeds", seeds, "--outdir", name, "--prior", "none"], in: folder)
        try #require(result.exitCode == 0, "\(result)")
      }
      return folder
    }

    private static func reports(_ url: URL) throws -> [Report] {
      try JSONDecoder().decode([Report].self, from: Data(contentsOf: url))
    }

    @Test("ref and calc agree with images as the reference, generate --fid-ref with calc, and nothing is called FID")
    func fid() async throws {
      let folder = try await Self.drawn.value
      let digits = ["--detector", "digits", "--cache", "cache"]
      let written = try await Command.run(["fid", "ref", "--data", "a/images", "--dest", "a.npz"] + digits, in: folder)
      #expect(written.exitCode == 0, "\(written)")
      #expect(
        written.output == "a.npz: statistics of 40 images, 192 features of classifier digits\n"
          || written.output.hasPrefix("a.npz: statistics of 40 images, "), "\(written)")
      var lines: Set<String> = []
      for reference in ["a.npz", "a/images"] {
        let result = try await Command.run(
          ["fid", "calc", "--images", "b/images", "--ref", reference, "--num", "40"] + digits, in: folder)
        #expect(result.exitCode == 0 && result.errors.isEmpty, "\(result)")
        #expect(result.output.hasPrefix("Frechet distance in the features of classifier digits: "), "\(result)")
        #expect(!result.output.contains("FID"))
        lines.insert(result.output)
      }
      #expect(lines.count == 1)
      let generated = try await Command.run(
        [
          "generate", "--network", "mnist-k8-l3", "--seeds", "40-79", "--outdir", "again", "--prior", "none",
          "--fid-ref",
          "a.npz",
        ] + digits, in: folder)
      #expect(generated.exitCode == 0 && generated.output.hasSuffix(lines.first!), "\(generated)")
      let evaluated = try await Command.run(
        [
          "evaluate", "--network", "mnist-k8-l3", "--seeds", "40-79", "--prior", "none", "--ref", "a.npz", "--cache",
          "cache",
        ], in: folder)
      #expect(evaluated.exitCode == 0 && evaluated.output == lines.first!, "\(evaluated)")
      let same = try await Command.run(
        ["fid", "calc", "--images", "a/images", "--ref", "a.npz", "--num", "40"] + digits, in: folder)
      let value = try #require(same.output.firstMatch(of: /: ([-+e.\d]+), 40 images/))
      #expect(try #require(Double(value.1)) < 1e-6, "\(same)")
    }

    @Test("evaluate prints all measures, by class and by run, and writes them as JSON") func evaluate() async throws {
      let folder = try Scratch.folder()
      for (name, first) in [("x", 0), ("y", 50)] {
        for number in 0..<24 {
          var state = UInt32(first + number) &* 2_654_435_761 &+ 1
          let pixels = (0..<1024).map { _ -> UInt8 in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
          }
          let url = folder.appending(path: "\(name)/\(number % 2 == 0 ? "cats" : "dogs")/\(number).png")
          try Folder.create(url.deletingLastPathComponent())
          try Bitmap(width: 32, height: 32, channels: 1, pixels: pixels).write(to: url)
        }
      }
      let detector = ["--detector", Golden.detector.path, "--cache", "cache"]
      let result = try await Command.run(
        ["evaluate", "--images", "x", "--ref", "y", "--per-class", "--json", "x.json"] + detector, in: folder)
      #expect(
        result.exitCode == 0 && result.output.contains("precision: ") && result.output.contains("class 1: "),
        "\(result)")
      let report = try #require(try Self.reports(folder.appending(path: "x.json")).first)
      #expect(report.distance == "Frechet distance in the features of detector.pt" && report.images == 24)
      #expect(report.frechet > 0 && report.kid != nil && report.precision != nil)
      #expect(report.classes?.map(\.images) == [12, 12])

      let runs = try await Command.run(
        [
          "evaluate", "--network", "mnist-k8-l3", "--seeds", "0-19", "--runs", "3", "--measures", "frechet", "--ref",
          "x",
          "--json", "runs.json",
        ] + detector, in: folder)
      #expect(runs.exitCode == 0, "\(runs)")
      let distances = try Self.reports(folder.appending(path: "runs.json")).map(\.frechet)
      #expect(
        Set(distances).count == 3 && runs.output.contains(String(format: "least of 3 runs: %.6g", distances.min()!)))
    }

    @Test("statistics as a reference allow the Frechet distance alone") func statistics() async throws {
      let folder = try Scratch.folder()
      let drawn = try await Command.run(
        ["generate", "--network", "mnist-k8-l3", "--seeds", "0-9", "--outdir", "a"], in: folder)
      let written = try await Command.run(
        ["fid", "ref", "--data", "a/images", "--dest", "a.npz", "--detector", "digits"], in: folder)
      try #require(drawn.exitCode == 0 && written.exitCode == 0, "\(drawn) \(written)")
      let result = try await Command.run(
        ["evaluate", "--network", "mnist-k8-l3", "--seeds", "0-9", "--measures", "kid", "--ref", "a.npz"], in: folder)
      #expect(result.isFailure(64, "allow frechet alone"), "\(result)")
    }

    @Test("reconstructions are nearer to the images than random ones") func reconstructions() async throws {
      let folder = try Scratch.folder()
      let common = ["evaluate", "--network", "mnist-k8-l3", "--measures", "frechet", "--cache", "cache", "--overwrite"]
      var distances: [Double] = []
      for arguments in [["--reconstructions"], ["--seeds", "0-999", "--prior", "none"]] {
        let result = try await Command.run(common + ["--json", "d.json"] + arguments, in: folder)
        #expect(result.exitCode == 0, "\(result)")
        distances.append(try #require(try Self.reports(folder.appending(path: "d.json")).first).frechet)
      }
      #expect(distances[0] < distances[1])
    }

    @Test("train --metrics writes the distance at every tick") func metrics() async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(
        ShortTraining.arguments(thousandImages: 2, in: folder) + ["--metrics", "digits", "--metrics-count", "50"])
      #expect(result.exitCode == 0 && result.output.contains("  distance "), "\(result)")
      let run = folder.appending(path: "00000-mnist-test")
      let lines = try String(contentsOf: run.appending(path: "stats.jsonl"), encoding: .utf8).split(separator: "\n")
      #expect(lines.count == 2 && lines.allSatisfy { $0.contains("\"frechetDistance\":") })
      let curve = try String(contentsOf: run.appending(path: "distance.svg"), encoding: .utf8)
      #expect(curve.contains("Frechet distance") && curve.hasSuffix("</svg>\n"))
    }

    @Test("mistakes are one line") func mistakes() async throws {
      let folder = try await Self.drawn.value
      let digits = ["--detector", "digits", "--cache", "cache"]
      let statistics = try await Command.run(
        ["fid", "ref", "--data", "b/images", "--dest", "b.npz"] + digits, in: folder)
      #expect(statistics.exitCode == 0)
      try Data(contentsOf: folder.appending(path: "b.npz")).prefix(900).write(to: folder.appending(path: "torn.npz"))
      try FileManager.default.copyItem(
        at: Golden.detector.deletingLastPathComponent().appending(path: "edm.npz"),
        to: folder.appending(path: "edm.npz"))
      try Folder.create(folder.appending(path: "one"))
      try FileManager.default.copyItem(
        at: folder.appending(path: "a/images/000000.png"), to: folder.appending(path: "one/0.png"))
      let calculate = ["fid", "calc", "--images", "a/images", "--num", "40", "--cache", "cache"]
      for (arguments, code, part) in [
        (calculate + ["--ref", "b.npz", "--detector", "digits-judge"], 65, "statistics of another detector"),
        (calculate + ["--ref", "edm.npz", "--detector", "digits"], 65, "4 features"),
        (calculate + ["--ref", "torn.npz", "--detector", "digits"], 65, "torn.npz"),
        (calculate + ["--ref", "absent.npz", "--detector", "digits"], 66, "absent.npz"),
        (calculate + ["--ref", "b.npz", "--detector", "absent"], 66, "no such detector or file"),
        (calculate + ["--ref", "b.npz", "--detector", "b.npz"], 65, "b.npz"),
        (calculate + ["--ref", "b.npz"], 64, "--detector"),
        (["fid", "calc", "--images", "a/images", "--ref", "b.npz"] + digits, 65, "has 40 images, fewer than 50000"),
        (["fid", "ref", "--data", "one", "--dest", "one.npz"] + digits, 65, "has 1 image, fewer than 2"),
        (["fid", "ref", "--data", "a/images", "--dest", "b.npz"] + digits, 1, "exists"),
        (["evaluate", "--images", "a/images"], 64, "--detector"),
        (["evaluate", "--images", "a/images", "--seeds", "1"], 64, "for images that are drawn"),
        (["evaluate", "--images", "a/images", "--reconstructions"], 64, "--images or --reconstructions"),
        (["evaluate", "--seeds", "1"], 64, "at least two"),
        (["evaluate", "--measures", "fid"], 64, "frechet, kid or precision"),
        (["evaluate", "--network", "mnist-k8-l3", "--seeds", "0-9", "--per-class"], 64, "no classes"),
        (["evaluate", "--runs", "2", "--seeds", "4294967290-4294967295"], 64, "are above"),
        (["generate", "--fid-ref", "b.npz"], 64, "go together"),
        (["generate", "--fid-ref", "b.npz", "--detector", "absent"], 66, "no such detector or file"),
        (["train", "--metrics-count", "5"], 64, "--metrics"),
      ] as [([String], Int32, String)] {
        let result = try await Command.run(arguments, in: folder)
        #expect(result.isFailure(code, part), "\(arguments): \(result)")
      }
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "one.npz").path))
    }
  }

  private enum Golden {
    static let detector = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Golden/inception/detector.pt")
  }
}
