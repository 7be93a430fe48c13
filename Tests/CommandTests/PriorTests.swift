import DDNFiles
import Foundation
import Testing
import Torch

extension CommandTests {
  @Suite("ddn prior") struct PriorTests {
    /// A run folder with a model of 4 nodes and 2 levels, 200 images, and a prior of their codes.
    private struct Trained {
      let run: URL
      let images: URL
      let output: String
    }

    private static func arguments(_ run: URL, _ images: URL) -> [String] {
      [
        "prior", "train", "--threads", "1", "--network", run.path, "--data", images.path, "--width", "8", "--hidden",
        "8", "--epochs", "4", "--batch", "20",
      ]
    }

    /// For read-only tests.
    private static let trained = Task {
      let run = try await ShortTraining.copy()
      let images = try Scratch.folder().appending(path: "out")
      let drawn = try await Command.run(
        ["generate", "--network", run.path, "--seeds", "0-199", "--outdir", images.path, "--prior", "none"])
      try #require(drawn.exitCode == 0, "\(drawn.errors)")
      let result = try await Command.run(
        arguments(run, images.appending(path: "images")) + ["--test-data", images.appending(path: "images").path])
      try #require(result.exitCode == 0, "\(result.errors)")
      return Trained(run: run, images: images.appending(path: "images"), output: result.output)
    }

    @Test("train writes the prior beside the model, and prints the bits of test images") func train() async throws {
      let trained = try await Self.trained.value
      #expect(trained.output.contains("190 codes of 4.0 bits") && trained.output.contains("200 test images: "))
      let file = try SafetensorsFile(contentsOf: trained.run.appending(path: "prior.safetensors"))
      #expect(file.metadata["format"] == "ddn-swift-prior")
      let again = try await Command.run(Self.arguments(trained.run, trained.images))
      #expect(again.isFailure(1, "give --overwrite"))
    }

    @Test("evaluate prints the bits by level, and the Frechet distance of samples") func evaluate() async throws {
      let trained = try await Self.trained.value
      let result = try await Command.run([
        "prior", "evaluate", "--network", trained.run.path, "--data", trained.images.path, "--count", "40", "--samples",
        "30",
      ])
      #expect(result.exitCode == 0 && result.errors.isEmpty, "\(result.errors)")
      let lines = result.output.split(separator: "\n").map(String.init)
      #expect(lines.count == 7 && lines[0].hasPrefix("level 1  ") && lines[0].hasSuffix(" of 2.00 bits"))
      #expect(lines[2].hasPrefix("40 images: ") && lines[2].contains(" of 4.00 bits a code, "))
      #expect(
        lines[3] == "Frechet distance in the features of classifier digits, 40 images and 30 samples:")
      for (line, name) in zip(lines[4...], ["reconstructions", "uniform codes", "codes of the prior"]) {
        #expect(line.hasPrefix(name + ": ") && Double(line.split(separator: " ").last!)! >= 0)
      }
      let without = try await Command.run([
        "prior", "evaluate", "--network", trained.run.path, "--data", trained.images.path, "--count", "40", "--samples",
        "30", "--prior", "none",
      ])
      #expect(without.output.split(separator: "\n").map(String.init) == Array(lines[3...5]), "\(without)")
    }

    @Test("generate draws from the prior beside the model, the same for every batch size") func generate() async throws
    {
      let run = try await Self.trained.value.run
      func codes(_ arguments: [String]) async throws -> [Substring] {
        let folder = try Scratch.folder().appending(path: "out")
        let result = try await Command.run(
          ["generate", "--network", run.path, "--seeds", "0-29", "--outdir", folder.path] + arguments)
        try #require(result.exitCode == 0, "\(result.errors)")
        return try String(contentsOf: folder.appending(path: "codes.txt"), encoding: .utf8).split(separator: "\n")
      }
      let drawn = try await codes([])
      #expect(try await codes(["--batch", "7", "--prior", run.appending(path: "prior.safetensors").path]) == drawn)
      #expect(try await codes(["--prior", "none"]) != drawn)
      let cold = try await codes(["--temperature", "0.001"])
      // The likeliest code, up to ties of a 256th.
      let counts = Dictionary(grouping: cold) { $0.split(separator: " ").last! }.values.map(\.count)
      #expect(counts.max()! > 15)
    }

    @Test("a prior of another model, without one, and a wrong temperature are errors") func wrong() async throws {
      let trained = try await Self.trained.value
      let prior = trained.run.appending(path: "prior.safetensors").path
      let folder = try Scratch.folder()
      let other = ["generate", "--network", "mnist-k8-l3", "--seeds", "1", "--outdir", "out"]
      #expect(try await Command.run(other + ["--prior", prior], in: folder).isFailure(65, "of another model"))
      #expect(try await Command.run(other + ["--prior", "missing"], in: folder).isFailure(66, "missing"))
      #expect(
        try await Command.run(other + ["--prior", "none", "--temperature", "2"], in: folder)
          .isFailure(64, "--temperature is for a prior"))
      #expect(try await Command.run(other + ["--temperature", "0"], in: folder).isFailure(64, "not a number above 0"))
      let evaluate = ["prior", "evaluate", "--network", try await ShortTraining.finished.value.path]
      #expect(try await Command.run(evaluate + ["--data", trained.images.path]).isFailure(64, "has no prior"))
      #expect(
        try await Command.run(["prior", "train", "--network", "mnist", "--data", trained.images.path])
          .isFailure(64, "name the prior's file with --out"))
      let dry = try await Command.run(
        ["prior", "train", "--network", "mnist", "--data", trained.images.path, "--out", "p", "-n"], in: folder)
      #expect(dry.exitCode == 0 && dry.output.contains("would learn the codes of 200 images"))
      #expect(
        try await Command.run(["prior", "train", "--network", "mnist", "--codes", "nope", "--out", "p"], in: folder)
          .isFailure(66, "nope: no such file"))
      #expect(try Folder.names(in: folder).isEmpty)
    }

    @Test("a file of codes that was encoded with the prior can be evaluated and learned") func codesWithPrior()
      async throws
    {
      let trained = try await Self.trained.value
      let folder = try Scratch.folder()
      let network = ["--network", trained.run.path, "--codes", "codes.ddn"]
      let encoded = try await Command.run(
        ["encode", "--network", trained.run.path, "--data", trained.images.path, "--out", "codes.ddn"], in: folder)
      try #require(encoded.exitCode == 0, "\(encoded)")
      let evaluated = try await Command.run(["prior", "evaluate"] + network, in: folder)
      #expect(evaluated.exitCode == 0 && evaluated.output.contains("200 images: "), "\(evaluated)")
      let learned = try await Command.run(
        ["prior", "train", "--width", "8", "--hidden", "8", "--epochs", "1", "--out", "p", "--test-codes", "codes.ddn"]
          + network, in: folder)
      #expect(learned.exitCode == 0 && learned.output.contains("200 test images: "), "\(learned)")
      let missing = try await Command.run(
        ["prior", "train", "--out", "q", "--test-codes", "nope"] + network, in: folder)
      #expect(missing.isFailure(66, "nope: no such file"))
      #expect(try Folder.names(in: folder).sorted() == ["codes.ddn", "p"])
    }
  }
}
