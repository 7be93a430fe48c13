import DDNFiles
import Foundation
import Testing
import Torch

extension CommandTests {
  @Suite("Processes that train together") struct RankTrainingTests {
    /// Networks in which 200 steps of 12 images are cheap.
    private static let networks = [
      "recurrent": ["--nodes", "4", "--levels", "2", "--width", "2"],
      "dense": ["--arch", "dense", "--nodes", "8", "--levels", "3", "--width", "16"],
      "pyramid": [
        "--arch", "pyramid", "--max-blockn", "1", "--max-outputk", "4", "--cbase", "64", "--cmax", "8",
      ],
    ]

    /// Draws and saves at the end only.
    private static func arguments(_ network: String, seed: Int, images: Int = 2400, in folder: URL) -> [String] {
      [
        "train", "--batch", "12", "--tick", "1000", "--seed", "\(seed)", "--ema", "0.001",
        "--duration", String(Double(images) / 1e6), "--outdir", folder.path,
      ] + networks[network]!
    }

    private static func train(_ network: String, seed: Int, ranks: Int) async throws -> SavedRun {
      let folder = try Scratch.folder()
      for result in try await Ranks.run(ranks, arguments(network, seed: seed, in: folder)) {
        try #require(result.exitCode == 0, "\(result.errors)")
      }
      let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      #expect(names.filter { $0.contains("tfevents") } == ["00000-mnist-test/events.out.tfevents.0000000000.ddn"])
      return SavedRun(url: folder.appending(path: "00000-mnist-test"))
    }

    /// Expects no differences with at least one of so many seeds.
    ///
    /// The order of a sum changes its last bits. Where two nodes are equally near but for those, it decides the choice, and
    /// all that follows differs; other processors have such ties with other seeds.
    private static func expectAlike(
      seeds: Int, _ differences: (_ seed: Int) async throws -> [String]
    ) async throws {
      var found: [String] = []
      for seed in 1...seeds {
        found = try await differences(seed)
        if found.isEmpty { return }
      }
      Issue.record("runs differ with every seed, with the last one in \(found.count) numbers: \(found.prefix(3))")
    }

    /// What differs of the counts, splits, random state and order, and of the weights by more than rounding.
    ///
    /// Adam divides by the gradients' size: a weight whose gradients are zero but for rounding, such as a bias before a
    /// norm, drifts at random, and is not compared.
    private static func differences(_ run: SavedRun, _ other: SavedRun, tolerance: Float = 1e-3) throws -> [String] {
      let last = try #require(try run.states.last)
      #expect(try other.states.last == last)
      func numbers<E: TensorElement>(_ run: SavedRun, _ file: String, _ name: String) throws -> [E] {
        try SafetensorsFile(contentsOf: run.state(last, file)).tensor(name).array()
      }
      let training = try SafetensorsFile(contentsOf: run.state(last, "training"))
      var differences: [String] = []
      for name in training.entries.keys where name.hasPrefix("statistics/") && !name.hasSuffix("distanceSums") {
        let (one, two): ([Double], [Double]) = (
          try numbers(run, "training", name), try numbers(other, "training", name)
        )
        if one != two { differences.append(name) }
      }
      #expect(try numbers(run, "training", "random") as [UInt8] == numbers(other, "training", "random"))
      var compared = 0
      for name in try SafetensorsFile(contentsOf: run.state(last, "model")).entries.keys {
        guard training.entries["adam/\(name).square"] != nil else { continue }
        let squares: [Float] = try numbers(run, "training", "adam/\(name).square")
        let (one, two): ([Float], [Float]) = (
          try numbers(run, "model", name), try numbers(other, "model", name)
        )
        for index in one.indices where squares[index] > 1e-8 {
          compared += 1
          if !(abs(one[index] - two[index]) < tolerance) {
            differences.append("\(name)[\(index)]: \(one[index]), \(two[index])")
          }
        }
      }
      #expect(compared > 100)
      return differences
    }

    @Test("two and three train for 200 steps to the weights of one, with the same splits", arguments: networks.keys)
    func equality(network: String) async throws {
      try await Self.expectAlike(seeds: 5) { seed in
        let alone = try await Self.train(network, seed: seed, ranks: 1)
        var differences: [String] = []
        for ranks in [2, 3] where differences.isEmpty {
          differences = try Self.differences(try await Self.train(network, seed: seed, ranks: ranks), alone)
        }
        return differences
      }
    }

    @Test("resumed by two, one and three, a run loses nothing") func resuming() async throws {
      try await Self.expectAlike(seeds: 1) { seed in
        let alone = try await Self.train("recurrent", seed: seed, ranks: 1)
        let folder = try Scratch.folder()
        let run = SavedRun(url: folder.appending(path: "00000-mnist-test"))
        for (ranks, images) in [(2, 600), (1, 1200), (3, 2400)] {
          let arguments =
            images == 600
            ? Self.arguments("recurrent", seed: seed, images: images, in: folder)
            : ["train", "--resume", run.url.path, "--duration", String(Double(images) / 1e6)]
          let results = try await Ranks.run(ranks, arguments)
          try #require(results.allSatisfy { $0.exitCode == 0 }, "\(results)")
          #expect(images == 600 || results[0].output.contains("continuing after \(images / 2) of"))
          #expect(results.dropFirst().allSatisfy { $0.output.isEmpty && $0.errors.isEmpty }, "only rank 0 prints")
          #expect(try run.states.last == images)
        }
        return try Self.differences(run, alone)
      }
    }

    @Test("TERM at one of them saves and stops all, and the run resumes to the same end") func stopping() async throws {
      try await Self.expectAlike(seeds: 1) { seed in
        let alone = try await Self.train("recurrent", seed: seed, ranks: 1)
        let folder = try Scratch.folder()
        let run = SavedRun(url: folder.appending(path: "00000-mnist-test"))
        let ranks = try Ranks(2) { _ in Self.arguments("recurrent", seed: seed, in: folder) }
        try await ranks.commands[0].waitForOutput("2 ranks")
        try await Task.sleep(for: .milliseconds(300))
        ranks.commands[1].send(SIGTERM)
        let results = try await ranks.results()
        #expect(results.map(\.exitCode) == [130, 130], "\(results)")
        #expect(results[0].errors.contains("everything is saved in \(run.url.path)") && results[1].errors.isEmpty)
        #expect(try run.states.count == 1)
        for result in try await Ranks.run(2, ["train", "--resume", run.url.path]) { #expect(result.exitCode == 0) }
        return try Self.differences(run, alone)
      }
    }
  }
}
