import Foundation
import Testing

extension CommandErrorTests {
  @Suite("Wrong usage is an error of one line before any work") struct BadUsageTests {
    @Test(
      "an unknown command or option, or an invalid value, exits with 64",
      arguments: [
        "paint", "--nodes 4", "train --node 4", "train --nodes four", "train --nodes 1", "train --nodes 65537",
        "train --levels 0", "train --width 7", "train --width 0", "train --batch 0", "train --batch -3", "train --lr 0",
        "train --lr nan", "train --lr inf", "train --lr -1", "train --chain-dropout 2", "train --chain-dropout nan",
        "train --duration 0", "train --duration nan", "train --duration 1e300", "train --cooldown 9", "train --ema -1",
        "train --split never", "train --split-warmup -1", "train --tick 0", "train --snap 0", "train --seed -1",
        "train --desc a/b", "train --resume . --nodes 4", "train --device cuda:99",
        "train --device gpu", "train --threads 0", "decode", "decode --levels=0 1.2", "generate --seeds 5-1",
        "generate --seeds", "generate --seeds 1,,2", "generate --seeds 1-2-3", "generate --class -1",
        "train --tick 0.1",
        "generate --seeds 4294967296", "train --seed 4294967296",
        "train --resume . --outdir x", "reconstruct --data x a.png", "reconstruct --count 3 a.png",
        "generate --seeds 0-18446744073709551615", "generate --batch 0", "reconstruct --count 0",
        "reconstruct --rows 0",
        "train --arch recurrent --components 8", "train --arch dense --norms-by-channel",
        "train --arch dense --learn-res", "train --components 8 --max-outputk 4",
        "train --arch dense --components 1025", "train --arch dense --choices 3",
        "train --arch dense --choices 2 --patches 2", "train --arch dense --patches 3 --levels 9",
        "train --patches 2 --cbase 8",
        "train --arch dense --gains 5", "train --preset original --arch dense", "train --preset best",
        "train --perceptual-weight 1", "train --sample-distance-weight 1",
        "train --soft-min -1", "train --soft-min 1 --loss absolute", "train --beta2 1",
        "train --balance nan", "train --last-level-weight 0",
        "train --arch dense --components 8 --rank 9", "export a.png", "export", "info --resolution 33",
        "info --resolution -1", "info --resolution 8 --start-size 16", "info --max-outputk 1",
        "info --network mnist --gray", "info --blockn-times nan", "info --cbase 0", "info --cmax 7",
        "train --cache -1", "train --cache many", "train --resume . --xflip", "dataset paint", "dataset convert a",
        "dataset convert a b.zip --resolution 64x64x64", "dataset convert a b.zip --resolution 48x48",
        "dataset convert a b.zip --resolution 64x32", "dataset convert a b.zip --resolution 0x0",
        "dataset convert a b.zip --transform center-crop", "dataset convert a b.zip --filter cubic",
        "dataset convert a b.zip --max-images 0", "dataset convert a b.zip --channels 4", "dataset fetch imagenet",
        "dataset convert a b.zip --resolution 64x65 --transform center-crop-wide", "dataset fetch mnist --url x",
        "dataset inspect", "dataset inspect a --split all", "demo --seconds 0", "demo --seconds nan",
        "demo --seed 4294967296",
        "import", "import a.pkl", "import a.pkl b", "import a.pkl b.safetensors c",
        "import a.pkl b.safetensors --levels 0", "import a.pkl b.safetensors --initial-image ramp",
        "import a.pkl b.safetensors --learn-res maybe", "import a.pkl b.safetensors --condition colours",
      ])
    func usage(line: String) async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(line.split(separator: " ").map(String.init), in: folder)
      #expect(result.isFailure(64) && result.output.isEmpty, "\(result)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test(
      "an invalid number's error states the limits",
      arguments: [
        ("generate --seeds 4294967296", "above 4294967295"), ("train --tick 0.1", "not a whole number within 1..."),
        ("train --lr -1", "-1 is not a number above 0"), ("train --ema -1", "-1 is not a number of at least 0"),
        ("reconstruct --rows 999", "999 is not within 1...200"), ("train --batch many", "'many' is not a whole number"),
        ("train --seed -1", "-1 is not within 0...4294967295"), ("generate --class -3", "-3 is not at least 0"),
      ])
    func reasons(line: String, reason: String) async throws {
      let result = try await Command.run(line.split(separator: " ").map(String.init))
      #expect(result.isFailure(64, reason), "\(result)")
    }

    @Test(
      "a code that does not fit the model exits with 65",
      arguments: ["0.x", "0,", "4.0", "0.-1", "0.99999999999999999999", "0.0.0"])
    func codes(codes: String) async throws {
      let network = try await ShortTraining.finished.value
      let result = try await Command.run(
        ["decode", "--network", network.path, codes], in: Scratch.folder())
      #expect(result.isFailure(65) && result.output.isEmpty, "\(result)")
    }

    @Test("a class for a model without classes exits with 64") func classes() async throws {
      let network = try await ShortTraining.finished.value
      let result = try await Command.run(["generate", "--network", network.path, "--class", "3"], in: Scratch.folder())
      #expect(result.isFailure(64, "this model has no classes"), "\(result)")
    }

    @Test("a name with line breaks and terminal codes is printed as one plain line") func controlCharacters()
      async throws
    {
      let result = try await Command.run(["info", "--network", "a\nb\u{1B}[2Jc"])
      #expect(result.isFailure(66, "a b [2Jc"), "\(result)")
    }

    @Test("the demo accepts the largest seed") func largestSeed() async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(
        ["demo", "--threads", "1", "--seconds", "1", "--seed", String(UInt32.max), "--outdir", "."], in: folder)
      #expect(result.exitCode == 0 && result.errors.isEmpty, "\(result)")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      #expect(names == [".ddn-output.json", "index.html", "reconstructions.png", "samples.png"])
    }
  }
}
