import DDNFiles
import Foundation
import Images
import Testing

extension CommandTests {
  @Suite("ddn toy") struct ToyTests {
    private static let small = ["toy", "--nodes", "200", "--bins", "20", "--frames", "2"]

    @Test("it writes figures, an animation in two formats, a drawing and a report, and prints a table")
    func files() async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(
        Self.small + ["--densities", "spiral,words", "--outdir", "out", "--json", "report.json"], in: folder)
      try #require(result.exitCode == 0, "\(result.errors)")
      for line in ["spiral", "words", "mean"] { #expect(result.output.contains(line)) }
      let pictures = folder.appending(path: "out")
      #expect(
        try Folder.names(in: pictures) == [
          ".ddn-output.json", "densities.png", "nodes.gif", "nodes.webp", "split-and-prune.svg",
        ])
      #expect(try PNG.read(pictures.appending(path: "densities.png")).channels == 3)
      let gif = try Data(contentsOf: pictures.appending(path: "nodes.gif"))
      #expect(gif.prefix(4) == Data("GIF8".utf8))
      let webp = try Data(contentsOf: pictures.appending(path: "nodes.webp"))
      #expect(webp.prefix(4) == Data("RIFF".utf8) && webp.range(of: Data("ANMF".utf8)) != nil)
      let svg = try String(contentsOf: pictures.appending(path: "split-and-prune.svg"), encoding: .utf8)
      #expect(svg.components(separatedBy: "KL(P‖Q)").count == 7)
      let report = try JSONSerialization.jsonObject(with: Data(contentsOf: folder.appending(path: "report.json")))
      let densities = try #require((report as? [String: Any])?["densities"] as? [[String: Any]])
      #expect(densities.map { $0["density"] as? String } == ["spiral", "words"])
      for density in densities {
        #expect((density["kl"] as! Double) < (density["kl_real"] as! Double))
        #expect((density["frames"] as! [Any]).count == 3)
      }
    }

    @Test("the same seed gives the same report, and an image is a density")
    func seeds() async throws {
      let folder = try Scratch.folder()
      try Bitmap(width: 2, height: 2, channels: 1, pixels: [255, 0, 0, 255]).write(to: folder.appending(path: "a.png"))
      var numbers: [[Int]] = []
      for (name, seed) in [("1", "7"), ("2", "7"), ("3", "8")] {
        let result = try await Command.run(
          Self.small + ["--image", "a.png", "--seed", seed, "--outdir", name, "--json", "\(name).json"], in: folder)
        try #require(result.exitCode == 0, "\(result.errors)")
        let report = try JSONSerialization.jsonObject(with: Data(contentsOf: folder.appending(path: "\(name).json")))
        let densities = (report as! [String: Any])["densities"] as! [[String: Any]]
        #expect(densities.map { $0["density"] as? String } == ["a"])
        numbers.append(densities[0]["nodes"] as! [Int])
      }
      #expect(numbers[0] == numbers[1])
      #expect(numbers[0] != numbers[2])
    }

    @Test(
      "extreme valid values work",
      arguments: ["--nodes 1", "--nodes 2", "--samples 0", "--bins 1", "--batch 1", "--frames 0", "--batch 999999"])
    func limits(arguments: String) async throws {
      let folder = try Scratch.folder()
      let base = ["toy", "--densities", "blurred-circles", "--outdir", folder.path]
      let more = arguments.contains("--nodes") ? [] : ["--nodes", "50"]
      let result = try await Command.run(base + more + arguments.split(separator: " ").map(String.init))
      #expect(result.exitCode == 0, "\(result.errors)")
      #expect(FileManager.default.fileExists(atPath: folder.appending(path: "densities.png").path))
      #expect(!result.output.contains("nan") && !result.output.contains("inf"))
    }

    @Test(
      "invalid values exit with 64",
      arguments: [
        "--nodes 0", "--nodes -1", "--nodes 5000001", "--nodes many", "--samples -1", "--samples 1e9", "--bins 0",
        "--bins 1001", "--batch 0", "--frames -1", "--frames 1001", "--densities moon", "--densities gaussian,",
        "--distance l3", "--split none", "--split never", "--seed -1",
      ])
    func wrongUsage(arguments: String) async throws {
      let result = try await Command.run(["toy"] + arguments.split(separator: " ").map(String.init))
      #expect(result.isFailure(64), "\(result.errors)")
    }

    @Test(
      "missing, invalid, black, truncated or huge images are errors of one line, and nothing is written")
    func badPictures() async throws {
      let folder = try Scratch.folder()
      func url(_ name: String) -> URL { folder.appending(path: name) }
      try Bitmap(width: 4, height: 4, channels: 1, shade: 0).write(to: url("black.png"))
      try Data("no picture".utf8).write(to: url("text.png"))
      try Data().write(to: url("empty.png"))
      let noise = Bitmap(
        width: 64, height: 64, channels: 1, pixels: (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 97) })
      try PNG.encode(noise).dropLast(500).write(to: url("cut.png"))
      // A header that claims 100,000 x 100,000 pixels.
      var huge = try PNG.encode(noise)
      huge.replaceSubrange(16..<24, with: [0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0])
      try huge.write(to: url("huge.png"))
      let cases: [(String, Int32, String)] = [
        ("missing.png", 66, "no such file"), (".", 65, "folder"), ("black.png", 65, "all black"),
        ("text.png", 65, "text.png"),
        ("empty.png", 65, "empty"), ("cut.png", 65, "cut.png"), ("huge.png", 65, "huge.png"),
      ]
      for (name, code, words) in cases {
        let result = try await Command.run(["toy", "--image", name, "--outdir", "out"], in: folder)
        #expect(result.isFailure(code, words), "\(name): \(result.exitCode) \(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: url("out").path))
      }
    }

    @Test("an unwritable folder exits with 1, a dry run writes nothing, and Ctrl-C exits with 130")
    func folders() async throws {
      let folder = try Scratch.folder()
      try Data().write(to: folder.appending(path: "file"))
      let blocked = try await Command.run(Self.small + ["--outdir", "file/out"], in: folder)
      #expect(blocked.isFailure(1, "file"), "\(blocked.errors)")
      let dry = try await Command.run(Self.small + ["--outdir", "dry", "-n"], in: folder)
      #expect(dry.exitCode == 0 && dry.output.contains("200 nodes"))
      #expect(try Folder.names(in: folder) == ["file"])
      let long = try Command(["toy", "--samples", "100000000000", "--outdir", "long"], in: folder)
      while !FileManager.default.fileExists(atPath: folder.appending(path: "long").path) {
        try await Task.sleep(for: .milliseconds(10))
      }
      try await Task.sleep(for: .milliseconds(300))
      long.send(SIGINT)
      #expect(try await long.result().exitCode == 130)
    }
  }
}
