import Foundation
import Testing
import Torch

extension CommandErrorTests {
  @Suite("Help and information") struct HelpTests {
    private static let machine = ["--device", "--threads", "--precision", "--help"]
    private static let training = [
      "--nodes", "--levels",
      "--width", "--node-features", "--norms-by-channel", "--components", "--rank", "--blocks",
      "--shared-levels", "--choices", "--patches", "--gains", "--latents", "--latent-width", "--cond", "--arch",
      "--preset", "--condition",
      "--learn-res", "--leak-choice",
      "--max-outputk", "--max-blockn",
      "--blockn-times", "--start-size", "--cbase", "--cmax", "--batch", "--batch-gpu", "--lr", "--lr-rampup",
      "--cooldown", "--ema", "--augment", "--warp", "--shade", "--mix", "--beams", "--chain-dropout",
      "--last-chain-dropout",
      "--chain-dropout-per", "--split",
      "--split-warmup", "--loss", "--soft-min", "--energy", "--perceptual", "--perceptual-weight", "--sample-distance",
      "--sample-distance-weight", "--adversarial",
      "--balance",
      "--last-level-weight", "--beta2", "--adam-epsilon", "--initial-nodes", "--resize", "--seed", "--tick",
      "--snap", "--desc",
    ]
    static let options: [(command: String, options: [String])] = [
      ("demo", ["--seconds", "--outdir", "--overwrite", "--seed"] + machine),
      (
        "train",
        [
          "--outdir", "--data", "--xflip", "--cache", "--resume", "--transfer", "--duration", "--film",
          "--tensorboard",
          "-n, --dry-run", "--metrics", "--metrics-count",
        ] + training + machine
      ),
      (
        "ablate",
        [
          "--data", "--xflip", "--cache", "--out", "--rows", "--seeds", "--duration", "-n, --dry-run", "--test",
          "--count", "--detector",
        ] + training + machine
      ),
      (
        "generate",
        [
          "--network", "--outdir", "--overwrite", "--seeds", "--prior", "--temperature", "--class", "--condition-image",
          "--subdirs", "--batch", "-n, --dry-run", "--fid-ref", "--detector", "--cache",
        ] + machine
      ),
      (
        "decode",
        [
          "--network", "--prior", "--levels", "--partial", "--outdir", "--overwrite", "--class", "--condition-image",
          "--subdirs",
          "--batch", "-n, --dry-run",
        ] + machine
      ),
      (
        "encode",
        [
          "--network", "--data", "--resize", "--count", "-o, --out", "--overwrite", "--class", "--prior", "--evaluate",
          "--train-data", "--outdir", "--no-pictures", "--beams", "--levels", "--lambda", "--psnr", "--weight",
          "--batch",
          "-n, --dry-run",
        ] + machine
      ),
      (
        "reconstruct",
        [
          "--network", "--data", "--resize", "--class", "--count", "--rows", "--beams", "--outdir", "--overwrite",
          "--batch",
        ] + machine
      ),
      ("export", ["--network", "--half", "--quarter", "--overwrite", "--help"]),
      (
        "prior train",
        [
          "--network", "--data", "--codes", "--resize", "--count", "--test-data", "--test-codes", "--mirror", "--out",
          "--overwrite", "--epochs", "--minutes", "--width", "--hidden", "--batch", "--lr", "--dropout", "--seed",
          "-n, --dry-run",
        ] + machine
      ),
      (
        "prior evaluate",
        [
          "--network", "--data", "--codes", "--resize", "--count", "--prior", "--temperature", "--samples",
          "--classifier",
        ] + machine
      ),
      (
        "neighbours",
        [
          "--network", "--data", "--resize", "--seeds", "--prior", "--temperature", "--images", "--class",
          "--condition-image", "--by",
          "--classifier", "--weights", "--linear", "-n, --nearest", "--outdir", "--overwrite", "--dry-run",
        ] + machine
      ),
      (
        "toy",
        [
          "--densities", "--image", "--bins", "--nodes", "--samples", "--batch", "--distance", "--split", "--fresh",
          "--seed", "--outdir", "--overwrite", "--json", "--frames", "-n, --dry-run", "--help",
        ]
      ),
      (
        "info",
        [
          "--network", "--resolution", "--gray", "--max-outputk", "--max-blockn", "--blockn-times", "--start-size",
          "--cbase", "--cmax", "--help",
        ]
      ),
      ("classifier", ["--help"]),
      ("fid", ["--help"]),
      ("fid ref", ["--data", "--split", "--dest", "--detector", "--overwrite", "--cache", "--batch"] + machine),
      (
        "fid calc",
        ["--images", "--ref", "--detector", "--num", "--seed", "--split", "--cache", "--batch"] + machine
      ),
      (
        "evaluate",
        [
          "--images", "--network", "--seeds", "--reconstructions", "--prior", "--temperature", "--class", "--ref",
          "--split",
          "--detector", "--measures", "--num", "--seed", "--runs", "--per-class", "--json", "--overwrite", "--cache",
          "--batch",
        ] + machine
      ),
      ("prior", ["--help"]),
      (
        "classifier train",
        [
          "--data", "--test-data", "--names", "--outdir", "--overwrite", "-n, --dry-run", "--epochs", "--width",
          "--side", "--batch", "--lr", "--weight-decay", "--label-smoothing", "--mirror", "--shift", "--blur",
          "--network", "--seed",
          "--resize",
        ] + machine
      ),
      ("classifier evaluate", ["--classifier", "--data", "--resize"] + machine),
      ("tree", ["--help"]),
      (
        "tree draw",
        [
          "--network", "--out", "--page", "--overwrite", "--size", "--levels", "--root", "--class", "--data", "--count",
        ] + machine
      ),
      (
        "tree classify",
        [
          "--network", "--data", "--test-data", "--resize", "--labels", "--draws", "--rules", "--baseline",
          "--beams", "--outdir",
          "--overwrite", "--batch",
        ] + machine
      ),
      (
        "tree search",
        [
          "--network", "--codes", "--prior", "--data", "--seeds", "--count", "--by", "--top", "--beams", "--class",
          "--recall",
        ] + machine
      ),
      (
        "serve",
        [
          "--network", "--run", "--clip", "--vocabulary", "--host", "--port", "--name", "--max-body", "--max-pixels",
          "--rate", "--queue", "--seconds", "--connections",
        ] + machine
      ),
      ("tree film", ["--out", "--overwrite", "--milliseconds", "--frames", "--help"]),
      ("dataset", ["--help"]),
      (
        "dataset convert",
        [
          "--resolution", "--transform", "--resize", "--filter", "--channels", "--max-images", "--split", "--strict",
          "-n, --dry-run", "--help",
        ]
      ),
      ("dataset fetch", ["--outdir", "--url", "--help"]),
      ("dataset inspect", ["--split", "--sheet", "--overwrite", "--help"]),
      ("import", ["--learn-res", "--condition", "--initial-image", "--overwrite", "--levels", "--help"]),
      ("bench", ["--rows", "--rounds", "--list", "--row", "--serve", "--precision"] + machine),
    ]

    @Test("every command's --help lists exactly its options", arguments: options)
    func help(command: String, options: [String]) async throws {
      let result = try await Command.run(command.split(separator: " ").map(String.init) + ["--help"])
      #expect(result.exitCode == 0 && result.errors.isEmpty)
      // An option's line starts with two spaces and its names.
      let named = result.output.split(separator: "\n").filter { $0.hasPrefix("  -") }.map { line in
        line.dropFirst(2).prefix { $0 != "<" && $0 != "/" }.split(separator: "  ")[0].trimmingCharacters(
          in: .whitespaces)
      }
      #expect(Set(named).subtracting(["--version"]) == Set(options.map { $0 == "--help" ? "-h, --help" : $0 }))
    }

    @Test("--help and no arguments list all commands") func commands() async throws {
      for arguments in [["--help"], []] {
        let result = try await Command.run(arguments)
        #expect(result.exitCode == 0 && result.errors.isEmpty)
        for (command, _) in Self.options where !command.contains(" ") {
          #expect(result.output.contains("\n  \(command) "))
        }
      }
    }

    @Test("--version prints a number of three parts, then the libraries in use on one line") func version() async throws
    {
      let result = try await Command.run(["--version"])
      #expect(result.exitCode == 0 && result.errors.isEmpty)
      let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      try #require(lines.count == 3 && lines[2].isEmpty)
      #expect(lines[0].wholeMatch(of: /\d+\.\d+\.\d+/) != nil)
      #expect(lines[1].hasPrefix("Commit unknown, Swift unknown, "), "facts beside a program in its build folder")
      #expect(lines[1].contains("; libtorch \(LibTorch.version) for C"))
      #expect(lines[1].hasSuffix("; kernels for \(LibTorch.cpuCapability)."))
    }

    @Test("--version names the commit of the facts beside the program, and ignores damaged ones") func facts()
      async throws
    {
      let folder = try Scratch.folder()
      let program = folder.appending(path: "ddn")
      try FileManager.default.copyItem(at: Command.program.resolvingSymlinksInPath(), to: program)
      for (facts, start) in [
        (#"{"commit": "0123abc", "swift": "6.3.1"}"#, "Commit 0123abc, Swift 6.3.1, "),
        ("{", "Commit unknown, Swift unknown, "),
      ] {
        try Data(facts.utf8).write(to: folder.appending(path: "build-facts.json"))
        let result = try await Command.run([], shell: "'\(program.path)' --version")
        #expect(result.exitCode == 0 && result.output.contains("\n\(start)"), "\(result)")
      }
    }

    @Test("every example of the help is a command that is understood") func examples() async throws {
      let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
      let folder = try Scratch.folder()
      for name in ["face.jpg", "me.jpg", "portrait.jpg", "my-digit.png", "seven.png", "eyes.png"] {
        try FileManager.default.copyItem(
          at: root.appending(path: "Examples/seven.png"), to: folder.appending(path: name))
      }
      let dump = try await Command.run(["--experimental-dump-help"])
      let json = try JSONSerialization.jsonObject(with: Data(dump.output.utf8)) as? [String: Any]
      let examples = Self.examples(of: try #require(json?["command"] as? [String: Any]))
      #expect(examples.count > 100)
      for example in examples {
        // Without their data most end at once, and others are stopped: only the words are tried.
        let result = try await Command.run(
          [], shell: #"program=$1; ddn() { timeout 1 "$program" "$@"; }; \#(example)"#, in: folder)
        #expect(result.exitCode != 64 && result.exitCode != 70, "\(example): \(result)")
      }
    }

    /// The lines of a command's help and those of its subcommands that begin with "  ddn ", without their comments; each once.
    private static func examples(of command: [String: Any]) -> [String] {
      let lines = (command["discussion"] as? String ?? "").split(separator: "\n")
      var examples = lines.filter { $0.hasPrefix("  ddn ") }.map { line in
        String(line.dropFirst(2)).replacing(#/ {3,}.*/#, with: "")
      }
      for subcommand in command["subcommands"] as? [[String: Any]] ?? [] {
        examples += Self.examples(of: subcommand).filter { !examples.contains($0) }
      }
      return examples
    }

    @Test("a dry run of train prints its options as JSON and the folder, and creates nothing")
    func dryRun() async throws {
      let folder = try Scratch.folder()
      let arguments = [
        "train", "-n", "--nodes", "8", "--lr", "0.01", "--seed", "7", "--outdir", "runs", "--desc", "try",
      ]
      let result = try await Command.run(arguments, in: folder)
      #expect(result.exitCode == 0 && result.errors.isEmpty)
      let lines = result.output.split(separator: "\n")
      let json = Data(lines.dropLast().joined(separator: "\n").utf8)
      let options = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
      #expect(options["learningRate"] as? Double == 0.01 && options["seed"] as? Int == 7)
      let network = try #require((options["network"] as? [String: Any])?["recurrent"] as? [String: Any])
      #expect(network["nodes"] as? Int == 8)
      #expect(lines.last?.contains("runs/00000-mnist-test-try on ") == true)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test("info prints the levels of an untrained pyramid") func levels() async throws {
      let result = try await Command.run(["info", "--resolution", "4", "--gray", "--max-blockn", "2", "--cmax", "8"])
      #expect(result.exitCode == 0 && result.errors.isEmpty)
      let lines = result.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
      #expect(lines[0] == "network pyramid of 5 levels, 16 nodes, 4x4 gray")
      #expect(lines[1] == "level block size channels K bits parameters Mflop")
      #expect(lines[2] == "1 1x1_0 1x1 8 16 4.0 1264 0.0" && lines[3].hasPrefix("2 2x2_0_up 2x2 8 16 8.0 1336 "))
      #expect(lines[7].hasPrefix("all 20.0 6464 "))
    }

    @Test("info describes a trained model") func info() async throws {
      let run = try await ShortTraining.finished.value
      let result = try await Command.run(["info", "--network", run.path])
      #expect(result.exitCode == 0 && result.errors.isEmpty)
      #expect(result.output.contains("4 nodes x 2 levels, width 2") && result.output.contains("2000 images"))
    }
  }
}
