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
  }
}
