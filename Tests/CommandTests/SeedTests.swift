import Foundation
import Images
import Testing

extension CommandTests {
  @Suite("An image depends only on its seed and the model") struct SeedTests {
    static let seeds = Array(0..<23) + [999, 123_456]

    /// One training step: no node is a copy of another yet, so codes give different images.
    private static let network = Task {
      let folder = try Scratch.folder()
      let result = try await Command.run([
        "train", "--threads", "1", "--nodes", "4", "--levels", "2", "--width", "4", "--duration", "0.0001", "--split",
        "none", "--outdir", folder.path,
      ])
      try #require(result.exitCode == 0, "\(result.errors)")
      return folder.appending(path: "00000-mnist-test")
    }

    /// The images of `seeds` by file name, drawn with a batch size.
    private static func draw(
      _ arguments: [String], command: String = "generate", batch: Int
    ) async throws -> [String: Bitmap] {
      let network = try await Self.network.value
      let folder = try Scratch.folder().appending(path: "drawn")
      let result = try await Command.run(
        [command, "--threads", "1", "--network", network.path, "--outdir", folder.path, "--batch", String(batch)]
          + arguments)
      try #require(result.exitCode == 0 && result.errors.isEmpty, "\(result.errors)")
      let images = folder.appending(path: "images")
      let names = try FileManager.default.contentsOfDirectory(atPath: images.path).filter { $0.hasSuffix(".png") }
      return Dictionary(
        uniqueKeysWithValues: try names.map { ($0, try PNG.read(images.appending(path: $0))) })
    }

    @Test("the same seeds give the same names and images at batch sizes 1, 7 and 100, in any order")
    func batches() async throws {
      func list(_ seeds: [Int]) -> [String] { ["--seeds", seeds.map(String.init).joined(separator: ",")] }
      let reference = try await Self.draw(list(Self.seeds), batch: 100)
      #expect(Set(reference.keys) == Set(Self.seeds.map { String(format: "%06d.png", $0) }))
      #expect(Set(reference.values.map(\.pixels)).count > 8, "seeds must differ for this test to say anything")
      for (seeds, batch) in [(Self.seeds, 1), (Self.seeds.reversed(), 7)] {
        let images = try await Self.draw(list(seeds), batch: batch)
        #expect(images.keys == reference.keys)
        for (name, image) in images {
          #expect(image == reference[name], "\(name) at batch size \(batch)")
        }
      }
    }

    @Test("the same seeds give the same bytes") func again() async throws {
      #expect(try await Self.draw(["--seeds", "0-9"], batch: 5) == Self.draw(["--seeds", "0-9"], batch: 5))
    }

    @Test("an image's code gives the same image as its seed") func codes() async throws {
      // All codes of 4 nodes and 2 levels.
      let codes = (0..<4).flatMap { first in (0..<4).map { "\(first).\($0)" } }
      let byCode = try await Self.draw([codes.joined(separator: ",")], command: "decode", batch: 3)
      #expect(Set(byCode.keys) == Set(codes.indices.map { String(format: "%06d.png", $0) }))
      for (name, image) in try await Self.draw(["--seeds", "0-9"], batch: 10) {
        #expect(byCode.values.contains(image), "\(name) has none of the model's codes")
      }
    }

    @Test("--subdirs writes each thousand images to a folder, with the same names") func folders() async throws {
      let network = try await ShortTraining.finished.value
      let folder = try Scratch.folder()
      let result = try await Command.run(
        ["generate", "--network", network.path, "--seeds", "999-1000", "--subdirs", "--outdir", "."], in: folder)
      #expect(result.exitCode == 0 && result.errors.isEmpty, "\(result.errors)")
      let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix("png") }
      #expect(Set(files) == ["images/000000/000999.png", "images/001000/001000.png"])
      // Folders of a thousand are not classes.
      let inspected = try await Command.run(
        ["dataset", "inspect", "images", "--sheet", folder.appending(path: "s.png").path], in: folder)
      #expect(inspected.output.contains("classes       none"), "\(inspected)")
    }
  }
}
