import Foundation
import Testing
import Torch

extension CommandTests {
  @Suite("ddn bench serves rows for comparison") struct BenchTests {
    private static let row = "layer K=512 C=3 F=128 4x4 B=8 training"

    @Test("--list prints every row's name once") func list() async throws {
      let result = try await Command.run(["bench", "--list"])
      #expect(result.exitCode == 0 && result.errors.isEmpty)
      let names = result.output.split(separator: "\n").map(String.init)
      #expect(names.contains(Self.row) && Set(names).count == names.count)
    }

    @Test(
      "an unknown row, or one without its folder, exits with 64",
      arguments: [
        ["--row", "layer", "--serve", "."], ["--row", row], ["--serve", "."], ["--rows", "nothing"],
        ["--rounds", "0"], ["--precision", "float8"],
      ])
    func badRow(arguments: [String]) async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(["bench"] + arguments, in: folder)
      #expect(result.isFailure(64) && result.output.isEmpty, "\(result)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test(
      "a worker writes the case, prints ready, seconds for every run, and peak memory at quit or end of input",
      arguments: ["run 1\\nrun 2\\nquit\\n", "run 1\\nrun 2\\n"])
    func worker(input: String) async throws {
      let folder = try Scratch.folder()
      let result = try await serve(input, in: folder)
      #expect(result.exitCode == 0 && result.errors.isEmpty, "\(result)")
      let lines = result.output.split(separator: "\n")
      try #require(lines.count == 4 && lines[0] == "ready", "\(result)")
      let numbers = try lines.dropFirst().map { try #require(Double($0)) }
      #expect(numbers[0] > 0 && numbers[1] > 0 && numbers[2] > 10)

      let file = try SafetensorsFile(contentsOf: folder.appending(path: "case.safetensors"))
      let description = try #require(file.metadata["row"])
      let row = try #require(try JSONSerialization.jsonObject(with: Data(description.utf8)) as? [String: Any])
      let work = try #require((row["work"] as? [String: Any])?["layer"] as? [String: Any])
      #expect(row["name"] as? String == Self.row && work["nodes"] as? Int == 512)
      #expect(file.entries["weights.multi_out_conv1x1.weight"]?.shape == [512 * 3, 128, 1, 1])
      #expect(file.entries["input.features"]?.shape == [8, 256, 4, 4])
      #expect(file.entries["expected.codes"]?.shape == [8])
      #expect(file.entries["expected.gradientOfFeatures"]?.shape == [8, 256, 4, 4])
    }

    @Test("an invalid line to a worker exits with 64") func unknownRequest() async throws {
      let result = try await serve("run\\n", in: Scratch.folder())
      #expect(result.isFailure(64, "'run'") && result.output == "ready\n", "\(result)")
    }

    @Test(
      "a pyramid's case has every level, its weights by the original's names, and its results",
      arguments: ["encode", "generate", "train"])
    func pyramid(job: String) async throws {
      let folder = try Scratch.folder()
      let row = "\(job) pyramid 8x8 K=64 L=15 B=4"
      let result = try await serve("run 1\\n", row: row, in: folder)
      #expect(result.exitCode == 0 && result.errors.isEmpty, "\(result)")
      let file = try SafetensorsFile(contentsOf: folder.appending(path: "case.safetensors"))
      let description = try #require(file.metadata["row"])
      let fields = try #require(try JSONSerialization.jsonObject(with: Data(description.utf8)) as? [String: Any])
      let work = try #require((fields["work"] as? [String: Any])?["pyramid"] as? [String: Any])
      let levels = try #require(work["pyramid"] as? [[String: Any]])
      #expect(work["job"] as? String == job && levels.count == 15)
      #expect(fields["wantedRatio"] as? Double == 1)

      for level in levels {
        let (side, place, isUp) = (level["side"] as? Int, level["place"] as? Int, level["isUp"] as? Bool)
        let name = "weights.model.block_\(side!)x\(side!)_\(place!)\(isUp! ? "_up" : "")"
        #expect(file.entries["\(name).ddo.multi_out_conv1x1.weight"]?.shape == [3 * 64, 16, 1, 1])
        // With the original's initial weights this convolution has almost no effect, and biases none.
        let second = try file.tensor("\(name).block.conv1.weight").array(Float.self)
        #expect(second.map { abs($0) }.max()! > 0.05)
        #expect(try file.tensor("\(name).block.norm1.bias").array(Float.self).allSatisfy { $0 != 0 })
      }
      #expect(file.entries["expected.images"]?.shape == [4, 3, 8, 8])
      #expect(try file.tensor("expected.images").array(Float.self).allSatisfy { abs($0) < 10 })
      #expect(file.entries["input.images"]?.shape == (job == "generate" ? nil : [job == "train" ? 32 : 4, 3, 8, 8]))
      #expect(file.entries[job == "generate" ? "input.codes" : "expected.codes"]?.shape == [15, 4])
      #expect(file.entries["expected.losses"]?.shape == (job == "generate" ? nil : [15, 4]))
    }

    private func serve(_ input: String, row: String = row, in folder: URL) async throws -> Command.Result {
      try await Command.run(
        ["bench", "--threads", "1", "--row", row, "--serve", folder.path], shell: "printf '\(input)' | \"$@\"")
    }
  }
}
