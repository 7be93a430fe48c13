import DDNFiles
import Foundation
import Images
import Testing
import Torch

extension CommandTests {
  @Suite("ddn classifier") struct ClassifierTests {
    private static func arguments(_ folder: URL, epochs: String = "0.2") -> [String] {
      [
        "classifier", "train", "--threads", "1", "--width", "2", "--side", "8", "--batch", "100", "--epochs", epochs,
        "--outdir", folder.path,
      ]
    }

    /// A finished training, for read-only tests.
    private static let finished = Task {
      let folder = try Scratch.folder().appending(path: "out")
      let result = try await Command.run(arguments(folder))
      try #require(result.exitCode == 0, "\(result.errors)")
      return (folder: folder, output: result.output)
    }

    @Test("train writes a classifier with its test accuracy, and evaluate reads it") func train() async throws {
      let (folder, output) = try await Self.finished.value
      #expect(output.contains("9000 images, 10 classes") && output.contains("of 1000 are read right"))
      #expect(
        try Folder.names(in: folder) == [".ddn-output.json", "classifier.safetensors", "state.safetensors"])
      let file = folder.appending(path: "classifier.safetensors")
      let training = try #require(SafetensorsFile(contentsOf: file).metadata["training"])
      #expect(training.contains("\"images\":1800,") && training.contains("testAccuracy"))
      let evaluated = try await Command.run(["classifier", "evaluate", "--classifier", file.path])
      #expect(evaluated.exitCode == 0 && evaluated.errors.isEmpty)
      let lines = evaluated.output.split(separator: "\n")
      #expect(lines.count == 12 && lines[0].contains(" of 1000 images are read as their class, "))
      #expect(lines[1].hasPrefix("class  images  accuracy  read as "))
    }

    @Test("an interrupted training continues with the same command, and ends with the same weights")
    func interruption() async throws {
      let folder = try Scratch.folder().appending(path: "out")
      let command = try Command(Self.arguments(folder))
      try await command.waitForOutput("parameters")
      command.send(SIGINT)
      let stopped = try await command.result()
      guard stopped.exitCode != 0 else { return }  // It was faster.
      #expect(stopped.exitCode == 130 && stopped.errors.contains("the same command continues"))
      let result = try await Command.run(Self.arguments(folder))
      #expect(result.exitCode == 0 && result.output.contains("continuing after "))
      let whole = try await Self.finished.value.folder
      func weights(_ folder: URL) throws -> [String: [UInt8]] {
        let file = try SafetensorsFile(contentsOf: folder.appending(path: "classifier.safetensors"))
        return try file.entries.keys.reduce(into: [:]) { $0[$1] = try file.withBytes(of: $1) { Array($0) } }
      }
      #expect(try weights(folder) == weights(whole))
    }

    @Test("a folder of another training is refused, and overwritten on request") func overwriting() async throws {
      let folder = try Scratch.folder().appending(path: "out")
      try FileManager.default.copyItem(at: try await Self.finished.value.folder, to: folder)
      let other = Self.arguments(folder) + ["--seed", "1"]
      #expect(try await Command.run(other).isFailure(1, "give --overwrite"))
      let result = try await Command.run(other + ["--overwrite"])
      #expect(result.exitCode == 0 && !result.output.contains("continuing"))
    }

    @Test("a dry run prints the options and writes nothing") func dryRun() async throws {
      let folder = try Scratch.folder().appending(path: "out")
      let result = try await Command.run(Self.arguments(folder) + ["-n", "--lr", "0.7"])
      #expect(result.exitCode == 0 && result.output.contains("\"learningRate\" : 0.7"))
      #expect(!FileManager.default.fileExists(atPath: folder.path))
    }

    @Test("images without classes, of too many classes and a file of another kind are errors") func wrong() async throws
    {
      let folder = try Scratch.folder()
      let images = folder.appending(path: "images")
      try Folder.create(images)
      try Bitmap(width: 8, height: 8, channels: 1, shade: 9).write(to: images.appending(path: "a.png"))
      let train = ["classifier", "train", "--outdir", folder.appending(path: "out").path, "--data", images.path]
      #expect(try await Command.run(train).isFailure(65, "without classes"))
      let evaluate = ["classifier", "evaluate", "--classifier"]
      #expect(try await Command.run(evaluate + ["no-such"]).isFailure(66, "no such classifier"))
      let run = try await Self.finished.value.folder
      #expect(
        try await Command.run(evaluate + [run.appending(path: "state.safetensors").path])
          .isFailure(65, "is not a classifier"))
      for number in 0..<12 {
        let ofClass = folder.appending(path: "many/\(number)")
        try Folder.create(ofClass)
        try Bitmap(width: 8, height: 8, channels: 1, shade: 9).write(to: ofClass.appending(path: "a.png"))
      }
      let classifier = run.appending(path: "classifier.safetensors").path
      #expect(
        try await Command.run(evaluate + [classifier, "--data", folder.appending(path: "many").path])
          .isFailure(65, "has 12 classes, and the classifier 10"))
      #expect(try await Command.run(Array(train.prefix(4)) + ["--side", "64"]).isFailure(64, "above the images' side"))
      #expect(try await Command.run(Array(train.prefix(4)) + ["--width", "3"]).isFailure(64, "a width of 3"))
    }
  }
}
