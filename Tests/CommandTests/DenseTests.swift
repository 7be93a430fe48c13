import Foundation
import Images
import Testing

extension CommandTests {
  @Suite("A dense network") struct DenseTests {
    private static func run(_ line: String, in folder: URL) async throws -> Command.Result {
      let result = try await Command.run(line.split(separator: " ").map(String.init) + ["--threads", "1"], in: folder)
      #expect(result.exitCode == 0, "\(line): \(result)")
      return result
    }

    @Test("trains, reconstructs, generates, codes, and is guided like any other") func work() async throws {
      let folder = try Scratch.folder()
      let shape = "--nodes 6 --levels 3 --width 16 --node-features 4 --components 24 --rank 8"
      _ = try await Self.run(
        "train --arch dense \(shape) --duration 0.012 --batch 64 --lr 0.004 --tick 6 --outdir runs", in: folder)
      let network = "--network runs/00000-mnist-test"
      let options = try String(
        contentsOf: folder.appending(path: "runs/00000-mnist-test/options.json"), encoding: .utf8)
      #expect(options.contains("\"chainDropout\" : 0,") && options.contains("\"cooldownImages\" : 9000,"), "\(options)")
      let info = try await Command.run(["info", "--network", "runs/00000-mnist-test"], in: folder)
      #expect(info.output.contains("6 nodes x 3 levels, dense, 24 components"), "\(info)")

      let errors = try await Self.run("reconstruct \(network) --count 100 --outdir r", in: folder).output
        .split(separator: "\n").compactMap { $0.hasPrefix("level ") ? Double($0.split(separator: " ").last!) : nil }
      #expect(errors.count == 3 && errors[2] < errors[0] && errors[2] < 0.25, "\(errors)")

      _ = try await Self.run("generate \(network) --seeds 0-20 --outdir one --batch 1", in: folder)
      _ = try await Self.run("generate \(network) --seeds 0-20 --outdir all --batch 21", in: folder)
      for seed in ["000000", "000013", "000020"] {
        let pictures = try ["one", "all"].map { name in
          try Data(contentsOf: folder.appending(path: "\(name)/images/\(seed).png"))
        }
        #expect(pictures[0] == pictures[1], "seed \(seed)")
      }

      _ = try await Self.run("encode \(network) --count 9 -o nine.ddn", in: folder)
      _ = try await Self.run("decode \(network) nine.ddn --outdir nine", in: folder)
      _ = try await Self.run("guide \(network) --guide sr:4 --count 2 --samples 2 --outdir guided", in: folder)
      _ = try await Self.run("guide \(network) --guide edges --count 2 --samples 2 --outdir edges", in: folder)
    }

    @Test("trains with every loss and several choices a pass, resumes, and codes") func choices() async throws {
      let folder = try Scratch.folder()
      let shape = "--nodes 6 --levels 4 --width 16 --node-features 4 --components 24 --rank 8"
      let losses =
        "--soft-min 0.5 --energy 0.01 --perceptual digits --sample-distance digits --adversarial 0.3 --balance 0.1 --last-level-weight 2"
        + " --sample-distance-weight 0.2 --beta2 0.99"
      _ = try await Self.run(
        "train --arch dense \(shape) --patches 2 \(losses) --duration 0.002 --batch 64 --tick 1 --snap 1 --outdir runs",
        in: folder)
      _ = try await Self.run("train --resume runs/00000-mnist-test --duration 0.003", in: folder)
      let options = try String(
        contentsOf: folder.appending(path: "runs/00000-mnist-test/options.json"), encoding: .utf8)
      for text in ["\"classifier\" : \"digits\"", "\"sampleTerm\"", "\"balance\" : 0.1", "\"patches\""] {
        #expect(options.contains(text), "\(options)")
      }
      let network = "--network runs/00000-mnist-test"
      _ = try await Self.run("encode \(network) --count 9 --beams 3 -o nine.ddn", in: folder)
      _ = try await Self.run("decode \(network) nine.ddn --outdir nine", in: folder)
      _ = try await Self.run("guide \(network) --guide sr:4 --count 2 --samples 2 --outdir guided", in: folder)
      let missing = try await Command.run(
        ["train", "--perceptual", "nobody", "--outdir", "others"], in: folder)
      #expect(missing.exitCode == 66 && missing.errors.contains("nobody: no such classifier"), "\(missing)")
      let unknown = try await Command.run(["train", "--sample-distance", "nobody", "--outdir", "others"], in: folder)
      #expect(unknown.exitCode == 66 && unknown.errors.contains("nobody: no such classifier"), "\(unknown)")
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "others").path))
    }

    @Test("trains on latents from nodes by k-means, resumes, codes, and is guided") func latents() async throws {
      let folder = try Scratch.folder()
      let shape =
        "--nodes 6 --levels 4 --width 16 --node-features 4 --components 24 --rank 6 --latents 8 --latent-width 32"
      let learning = "--chain-dropout 0.1 --last-chain-dropout 0 --adam-epsilon 1e-7 --initial-nodes kmeans"
      _ = try await Self.run(
        "train \(shape) \(learning) --duration 0.002 --batch 64 --tick 1 --snap 1 --outdir runs", in: folder)
      _ = try await Self.run("train --resume runs/00000-mnist-test --duration 0.006", in: folder)
      let options = try String(
        contentsOf: folder.appending(path: "runs/00000-mnist-test/options.json"), encoding: .utf8)
      for text in [
        "\"latents\" : {", "\"initialNodes\" : \"kmeans\"", "\"adamEpsilon\" : 1e-07", "\"lastChainDropout\" : 0",
      ] { #expect(options.contains(text), "\(options)") }
      let network = "--network runs/00000-mnist-test"
      let errors = try await Self.run("reconstruct \(network) --count 100 --outdir r", in: folder).output
        .split(separator: "\n").compactMap { $0.hasPrefix("level ") ? Double($0.split(separator: " ").last!) : nil }
      #expect(errors.count == 4 && errors[3] < errors[0] && errors[3] < 0.2, "\(errors)")
      _ = try await Self.run("encode \(network) --count 9 --beams 3 -o nine.ddn", in: folder)
      _ = try await Self.run("decode \(network) nine.ddn --outdir nine", in: folder)
      _ = try await Self.run("guide \(network) --guide sr:4 --count 2 --samples 2 --outdir guided", in: folder)
      let refused = try await Command.run(["train", "--shared-levels", "--initial-nodes", "kmeans"], in: folder)
      #expect(refused.exitCode == 64 && refused.errors.contains("no shared levels"), "\(refused)")
      let alone = try await Command.run(["train", "--latent-width", "8"], in: folder)
      #expect(alone.exitCode == 64 && alone.errors.contains("--latent-width is for --latents"), "\(alone)")
    }

    @Test("the original's preset is its network and training, but for given options") func preset() async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(["train", "--preset", "original", "--lr", "0.002", "--dry-run"], in: folder)
      #expect(result.exitCode == 0, "\(result)")
      for text in [
        "\"baseWidth\" : 32", "\"repeats\" : 10", "\"nodes\" : 64", "\"batch\" : 256", "\"images\" : 30000000",
        "\"chainDropout\" : 0.05", "\"learningRate\" : 0.002", "\"rule\" : \"total-variation\"",
      ] { #expect(result.output.contains(text), "\(text) in \(result.output)") }
      try FileManager.default.createDirectory(at: folder.appending(path: "pictures"), withIntermediateDirectories: true)
      for index in 0..<2 {
        try Bitmap(width: 16, height: 16, channels: 3, shade: 90)
          .write(to: folder.appending(path: "pictures/\(index).png"))
      }
      let pyramid = try await Command.run(
        ["train", "--preset", "original", "--data", "pictures", "--max-outputk", "16", "--dry-run"], in: folder)
      for text in ["\"maxBlocks\" : 8", "\"maxNodes\" : 16", "\"batch\" : 512", "\"images\" : 200000000"] {
        #expect(pyramid.output.contains(text), "\(text) in \(pyramid)")
      }
    }

    @Test("exports of half and a quarter of the size give nearly the same images") func export() async throws {
      let folder = try Scratch.folder()
      let whole = try await Command.run(["export", "--network", "mnist-k8-l3", "whole.safetensors"], in: folder)
      let half = try await Command.run(
        ["export", "--network", "mnist-k8-l3", "--half", "half.safetensors"], in: folder)
      #expect(whole.exitCode == 0 && half.exitCode == 0 && half.output.contains("8 nodes x 3 levels"), "\(half)")
      let bytes = try ["whole", "half"].map { try Data(contentsOf: folder.appending(path: "\($0).safetensors")).count }
      #expect(bytes[1] < bytes[0] * 52 / 100)
      let quarter = try await Command.run(
        ["export", "--network", "mnist-k8-l3", "--quarter", "quarter.safetensors"], in: folder)
      let quarterBytes = try Data(contentsOf: folder.appending(path: "quarter.safetensors")).count
      #expect(quarter.exitCode == 0 && quarterBytes < bytes[0] * 28 / 100, "\(quarter)")
      let both = try await Command.run(["export", "--half", "--quarter", "both.safetensors"], in: folder)
      #expect(both.exitCode == 64 && both.errors.contains("exclude each other"), "\(both)")
      func errors(_ network: String) async throws -> [Double] {
        try await Self.run("reconstruct --network \(network) --count 50 --outdir \(network)-r", in: folder).output
          .split(separator: "\n").compactMap { $0.hasPrefix("level ") ? Double($0.split(separator: " ").last!) : nil }
      }
      let (original, rounded) = (try await errors("mnist-k8-l3"), try await errors("half.safetensors"))
      #expect(original.count == 3 && zip(original, rounded).allSatisfy { abs($0 - $1) < 0.002 }, "\(rounded)")
      let bytewise = try await errors("quarter.safetensors")
      #expect(bytewise.count == 3 && zip(original, bytewise).allSatisfy { abs($0 - $1) < 0.004 }, "\(bytewise)")
      let again = try await Command.run(["export", "half.safetensors"], in: folder)
      #expect(again.exitCode == 1 && again.errors.contains("--overwrite"), "\(again)")
    }
  }
}
