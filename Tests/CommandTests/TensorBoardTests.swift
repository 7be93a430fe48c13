import DDNFiles
import Foundation
import RecordSupport
import Testing

extension CommandTests {
  /// Needs a Python with the packages of Tests/Python/requirements.txt, which `make test` installs.
  @Suite(
    "TensorBoard reads what a run writes",
    .enabled(if: python != nil, "DDN_TEST_PYTHON is no Python with tensorboard: scripts/test-python makes one"))
  struct TensorBoardTests {
    private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// What TensorBoard's own reader finds.
    private struct Found: Decodable {
      let scalars: [String: [[Double]]]
      let images: [String: [Image]]
      let histograms: [String: [[Double]]]

      struct Image: Decodable {
        let step: Int
        let width: Int
        let height: Int
        let file: String

        init(from decoder: any Decoder) throws {
          var values = try decoder.unkeyedContainer()
          (step, width, height) = (
            try values.decode(Int.self), try values.decode(Int.self), try values.decode(Int.self)
          )
          file = try values.decode(String.self)
        }
      }

      init(_ folder: URL) throws {
        let process = Process()
        process.executableURL = URL(filePath: try #require(python))
        process.arguments = [tests.appending(path: "Python/read_events.py").path, folder.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try #require(try pipe.fileHandleForReading.readToEnd())
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        self = try JSONDecoder().decode(Found.self, from: output)
      }
    }

    /// As `ShortTraining`, with saves after every 3,000 images.
    private static func arguments(in folder: URL) -> [String] {
      var arguments = ShortTraining.arguments(thousandImages: 1000, in: folder)
      arguments[arguments.firstIndex(of: "--snap")! + 1] = "3"
      return arguments + ["--metrics", "digits", "--metrics-count", "16"]
    }

    @Test("of a run that was killed and resumed: each tick once, pictures and node use at saves")
    func resumed() async throws {
      let folder = try Scratch.folder()
      let run = SavedRun(url: folder.appending(path: "00000-mnist-test"))
      let killed = try Command(Self.arguments(in: folder))
      try await killed.waitForOutput("5000 images")
      killed.send(SIGKILL)
      _ = try await killed.result()
      let saved = try #require(try run.states.last)
      let first = run.url.appending(path: "events.out.tfevents.0000000000.ddn")
      let whole = try Data(contentsOf: first)
      try #require(try RecordFile(whole).payloads.count > 2 + saved / 1000, "nothing is superseded")
      try whole.dropLast(5).write(to: first)  // As a kill within a write.

      let resumed = try await Command.run([
        "train", "--threads", "1", "--resume", run.url.path, "--duration", String(Double(saved + 3000) / 1e6),
        "--metrics", "digits", "--metrics-count", "16",
      ])
      try #require(resumed.exitCode == 0, "\(resumed)")
      #expect(
        try Folder.names(in: run.url).filter { $0.contains("tfevents") }
          == ["events.out.tfevents.0000000000.ddn", "events.out.tfevents.0000000001.ddn"])
      let found = try Found(run.url)

      let lines = try run.statistics()
      #expect(lines.count == (saved + 3000) / 1000)
      func expectScalar(_ tag: String, _ value: (NSDictionary) throws -> Any?) throws {
        let points = try #require(found.scalars[tag], "no \(tag)")
        #expect(points.map(\.[0]) == lines.map { $0["images"] as? Double }, "\(tag)")
        for (point, line) in zip(points, lines) {
          let expected = try #require(try value(line) as? Double)
          #expect(point[1] == Double(Float(expected)), "\(tag)")
        }
      }
      try expectScalar("loss/mean") { $0["loss"] }
      for level in 0..<2 { try expectScalar("loss/level_\(level + 1)") { ($0["lossOfLevels"] as? [Any])?[level] } }
      try expectScalar("perplexity/layer_1") { ($0["perplexityOfLayers"] as? [Any])?[0] }
      try expectScalar("training/learning_rate") { $0["learningRate"] }
      try expectScalar("training/splits") { $0["splits"] }
      try expectScalar("metrics/frechet_distance") { $0["frechetDistance"] }
      #expect(found.scalars["training/images_per_second"]?.allSatisfy { $0[1] > 0 } == true)

      let saves = stride(from: 3000, through: saved + 3000, by: 3000).map { $0 }
      for name in ["samples", "reconstructions"] {
        let images = try #require(found.images["pictures/\(name)"])
        #expect(images.map(\.step) == saves)
        for image in images {
          let number = String(image.step)
          let file = run.url.appending(
            path: "\(name)-\(String(repeating: "0", count: 10 - number.count))\(number).png")
          let bytes = try Data(contentsOf: file)
          #expect(image.file == bytes.map { String(format: "%02x", $0) }.joined())
          #expect(bytes[16..<24] == bigEndian(image.width) + bigEndian(image.height), "the size in the PNG's header")
        }
      }
      #expect(Set(found.histograms.keys) == ["node_use/level_1", "node_use/level_2"])
      for points in found.histograms.values {
        #expect(points.map(\.[0]) == saves.map(Double.init))
        #expect(points.allSatisfy { $0[1] == 4 && abs($0[2] - 4) < 1e-9 }, "four nodes, whose shares add up")
      }
    }

    @Test("steps beyond 32 bits") func steps() throws {
      let found = try Found(Self.tests.appending(path: "Golden/tensorboard"))
      #expect(found.scalars == ["loss/mean": [[50_000_000_000, 0.125]]])
    }

    private func bigEndian(_ number: Int) -> Data { withUnsafeBytes(of: UInt32(number).bigEndian) { Data($0) } }
  }

  @Suite("Runs without TensorBoard") struct NoTensorBoardTests {
    @Test("--no-tensorboard writes no event file, and a resumed run may change it") func none() async throws {
      let folder = try Scratch.folder()
      let run = folder.appending(path: "00000-mnist-test")
      func eventFiles() throws -> Int { try Folder.names(in: run).filter { $0.contains("tfevents") }.count }
      let arguments = ShortTraining.arguments(thousandImages: 1, in: folder) + ["--no-tensorboard"]
      #expect(try await Command.run(arguments).exitCode == 0)
      #expect(try eventFiles() == 0)
      let resume = ["train", "--threads", "1", "--resume", run.path, "--duration"]
      #expect(try await Command.run(resume + ["0.002"]).exitCode == 0)
      #expect(try eventFiles() == 0)
      #expect(try await Command.run(resume + ["0.003", "--tensorboard"]).exitCode == 0)
      #expect(try eventFiles() == 1)
      #expect(try await Command.run(resume + ["0.004"]).exitCode == 0)
      #expect(try eventFiles() == 2)
    }
  }
}

/// A Python that imports tensorboard.
private let python: String? = {
  guard let path = ProcessInfo.processInfo.environment["DDN_TEST_PYTHON"], !path.isEmpty else { return nil }
  let process = Process()
  process.executableURL = URL(filePath: path)
  process.arguments = ["-c", "import tensorboard"]
  process.standardError = FileHandle.nullDevice
  do { try process.run() } catch { return nil }
  process.waitUntilExit()
  return process.terminationStatus == 0 ? path : nil
}()
