import DDNFiles
import Foundation
import Images
import Testing

extension CommandTests {
  @Suite("ddn ablate") struct AblateTests {
    private struct Report: Decodable {
      struct Run: Decodable {
        struct Measurement: Decodable {
          struct Reconstructions: Decodable {
            let errorOfLevels: [Double]
            let frechetDistance: Double?
          }
          let test: Reconstructions?
          let sampleDistance: Double?
        }
        let row, folder: String
        let seed, splits: Int
        let bits: Double
        let measurement: Measurement
      }
      let distance: String?
      let testImages: Int?
      let runs: [Run]
    }

    private static let small = [
      "ablate", "--nodes", "6", "--levels", "2", "--width", "2", "--batch", "100", "--tick", "1", "--snap", "1",
      "--duration", "0.003", "--count", "40", "--seeds", "2", "--rows", "split,nodes=2", "--threads", "1",
    ]

    private static func report(_ folder: URL) throws -> Report {
      try JSONDecoder().decode(Report.self, from: Data(contentsOf: folder.appending(path: "results.json")))
    }

    /// A whole study, for read-only tests.
    private static let whole = Task {
      let folder = try Scratch.folder().appending(path: "study")
      let result = try await Command.run(small + ["--out", folder.path])
      try #require(result.exitCode == 0, "\(result)")
      return (folder: folder, output: result.output)
    }

    @Test("it writes a table with every row, numbers, curves and a picture, and its runs are run folders")
    func outputs() async throws {
      let (folder, output) = try await Self.whole.value
      let names = ["default", "no-split", "k2"]
      let runs = (0..<2).flatMap { seed in names.map { "\($0)-seed\(seed)" } }
      #expect(
        try Set(Folder.names(in: folder))
          == Set(
            runs + [
              "ablation.json", "table.md", "table.txt", "results.json", "loss.svg", "images.png",
              "training-statistics.npz",
              "test-statistics.npz",
            ]))
      let report = try Self.report(folder)
      #expect(report.runs.map(\.folder) == runs && report.testImages == 40)
      #expect(report.distance == "Frechet distance in the features of classifier digits")
      for run in report.runs {
        #expect((run.splits > 0) == (run.row != "no-split"), "\(run)")
        #expect(run.bits == (run.row == "k2" ? 2 : 2 * log2(6)))
        #expect(run.measurement.sampleDistance! > 0 && run.measurement.test!.frechetDistance! > 0)
      }
      let text = try String(contentsOf: folder.appending(path: "table.txt"), encoding: .utf8)
      #expect(output.contains(text))
      let table = try String(contentsOf: folder.appending(path: "table.md"), encoding: .utf8)
      let mean = report.runs.filter { $0.row == "k2" }.map { $0.measurement.test!.errorOfLevels[1] }.reduce(0, +) / 2
      let row = try #require(table.split(separator: "\n").first { $0.hasPrefix("| K=2 | 2 |") })
      #expect(row.contains(String(format: "%.4f ± ", mean)), "\(row)")
      for label in ["| default, K=6 | 2 |", "| without Split-and-Prune | 2 |", "Test images: 40"] {
        #expect(table.contains(label), "\(table)")
      }
      #expect(!table.contains("FID"))
      let curves = try String(contentsOf: folder.appending(path: "loss.svg"), encoding: .utf8)
      #expect(curves.components(separatedBy: "<polyline").count == 4 && curves.contains("without Split-and-Prune"))
      #expect(try PNG.read(folder.appending(path: "images.png")).width > 26 * 64)

      let run = folder.appending(path: "no-split-seed1")
      let read = try await Command.run(
        ["reconstruct", "--network", run.path, "--count", "5", "--outdir", folder.path + "-read"])
      #expect(read.exitCode == 0 && read.output.contains("level 2"), "\(read)")
    }

    @Test("stopped and killed, the same command continues and ends with the same bytes") func resumed() async throws {
      let folder = try Scratch.folder().appending(path: "study")
      let arguments = Self.small + ["--out", folder.path]
      let stopped = try await Command.run(arguments, signal: SIGTERM, after: "default-seed0: test error")
      #expect(stopped.exitCode == 130 && stopped.errors.hasSuffix("\nddn: interrupted\n"), "\(stopped)")
      let killed = try await Command.run(arguments, signal: SIGKILL, after: "k2-seed0: test error")
      #expect(killed.exitCode == 128 + SIGKILL && !killed.output.contains("default-seed0: "), "\(killed)")
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "images.png").path))
      let last = try await Command.run(arguments)
      #expect(last.exitCode == 0 && last.output.contains(" of 6 runs are finished"), "\(last)")
      #expect(!last.output.contains("k2-seed0: "), "\(last)")

      let (whole, _) = try await Self.whole.value
      for name in ["table.md", "table.txt", "images.png", "ablation.json"] {
        #expect(
          try Data(contentsOf: folder.appending(path: name)) == Data(contentsOf: whole.appending(path: name)), "\(name)"
        )
      }
      for run in try Self.report(whole).runs {
        try SavedRun(url: folder.appending(path: run.folder))
          .expectEqual(to: SavedRun(url: whole.appending(path: run.folder)))
      }
    }

    @Test("a changed option is refused with one line, more rows and seeds are added") func changed() async throws {
      let copy = try Scratch.folder().appending(path: "study")
      try FileManager.default.copyItem(at: try await Self.whole.value.folder, to: copy)
      for (arguments, part) in [
        (["--lr", "0.01"], "learningRate is 0.01, and was 0.001"),
        (["--width", "4"], "network.recurrent.baseWidth is 4"),
        (["--duration", "0.004"], "images is 4000, and was 3000"), (["--count", "30"], "30 images, and had 40"),
        (["--detector", "none"], "the detector is none"), (["--threads", "2"], "threads is 2, and was 1"),
        (["--resize", "padded"], "other pixels"),
      ] {
        let result = try await Command.run(Self.small + ["--out", copy.path] + arguments)
        #expect(result.isFailure(1, part), "\(arguments): \(result)")
        #expect(result.errors.contains("holds an ablation study of other options"), "\(result)")
      }
      let more = try await Command.run(
        Self.small + ["--out", copy.path, "--rows", "split,leak", "--seeds", "3"],
        shell: "unset OMP_NUM_THREADS; \"$@\"")
      #expect(more.exitCode == 0 && more.output.contains("4 of 9 runs are finished"), "\(more)")
      let report = try Self.report(copy)
      #expect(report.runs.map(\.row) == (0..<3).flatMap { _ in ["default", "no-split", "no-leak"] })
    }

    @Test("a dense network's study says which rows it cannot have; a dry run estimates the time and writes nothing")
    func dense() async throws {
      let folder = try Scratch.folder()
      let arguments = [
        "ablate", "--arch", "dense", "--nodes", "8", "--levels", "2", "--components", "16", "--rank", "8", "--width",
        "16",
        "--batch", "100", "--duration", "0.001", "--count", "40", "--seeds", "1", "--out", "study", "--threads", "1",
      ]
      let dry = try await Command.run(arguments + ["--dry-run"], in: folder)
      #expect(dry.exitCode == 0 && dry.errors.isEmpty, "\(dry)")
      for text in [
        "default, K=8", "K=512", "without Split-and-Prune", "left out: without leak choice: a dense network has no",
        "5 runs (5 rows x 1 seed), about ", "40 random codes",
      ] { #expect(dry.output.contains(text), "\(text) in \(dry.output)") }
      #expect(try Folder.names(in: folder).isEmpty)
      let result = try await Command.run(arguments, in: folder)
      #expect(result.exitCode == 0 && result.output.contains("left out: without learned residuals"), "\(result)")
      let table = try String(contentsOf: folder.appending(path: "study/table.md"), encoding: .utf8)
      #expect(table.contains("| K=2 | 1 |") && table.contains("Left out: without leak choice"), "\(table)")
    }

    @Test("a pyramid on pictures without a test split and without a detector") func pyramid() async throws {
      let folder = try Scratch.folder()
      try Folder.create(folder.appending(path: "pictures"))
      for index in 0..<16 {
        let pixels = (0..<64).flatMap { [UInt8($0 * 3), UInt8(index * 15), UInt8(255 - index * 10)] }
        try Bitmap(width: 8, height: 8, channels: 3, pixels: pixels)
          .write(to: folder.appending(path: "pictures/\(index).png"))
      }
      let arguments = [
        "ablate", "--data", "pictures", "--max-blockn", "1", "--max-outputk", "4", "--cbase", "64", "--cmax", "8",
        "--batch", "8", "--duration", "0.0004", "--seeds", "1", "--rows", "leak,residual,nodes=2", "--threads", "1",
      ]
      let missing = try await Command.run(arguments, in: folder)
      #expect(missing.exitCode == 64 && missing.errors.contains("give --detector, or --detector none"), "\(missing)")
      let result = try await Command.run(arguments + ["--detector", "none"], in: folder)
      #expect(result.exitCode == 0 && result.errors.hasPrefix("note: pictures has no test split"), "\(result)")
      let report = try Self.report(folder.appending(path: "ablation"))
      #expect(report.runs.map(\.row) == ["default", "no-leak", "no-residual", "k2"] && report.testImages == nil)
      #expect(report.distance == nil && report.runs.allSatisfy { $0.measurement.sampleDistance == nil })
      let info = try await Command.run(["info", "--network", "ablation/no-leak-seed0"], in: folder)
      #expect(info.exitCode == 0 && info.output.contains("no leaked choice"), "\(info)")
      let drawn = try await Command.run(
        ["generate", "--network", "ablation/no-leak-seed0", "--seeds", "0-3", "--outdir", "drawn"], in: folder)
      #expect(drawn.exitCode == 0, "\(drawn)")
    }

    @Test("mistakes are one line") func mistakes() async throws {
      let folder = try Scratch.folder()
      try Folder.create(folder.appending(path: "full"))
      try Data().write(to: folder.appending(path: "full/letter.txt"))
      for (arguments, code, part) in [
        (["--rows", "splits"], 64, "'splits' is not nodes=K"), (["--rows", "nodes=1"], 64, "within 2...4096"),
        (["--rows", "residual"], 64, "there is nothing to compare"), (["--seeds", "0"], 64, "--seeds"),
        (["--desc", "x"], 64, "--desc"), (["--condition", "edge"], 64, "--condition"),
        (["--data", "nowhere"], 66, "nowhere"), (["--test", "nowhere"], 66, "nowhere"),
        (["--detector", "nobody"], 66, "no such detector or file"), (["--out", "full"], 1, "such as letter.txt"),
        (["--arch", "dense", "--no-leak-choice"], 64, "--leak-choice is for --arch recurrent"),
        (["--perceptual", "nobody"], 66, "no such classifier"),
      ] as [([String], Int32, String)] {
        let result = try await Command.run(
          Self.small + arguments, in: folder)
        #expect(result.isFailure(code, part), "\(arguments): \(result)")
      }
    }
  }
}
