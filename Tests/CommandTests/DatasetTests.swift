import Foundation
import Images
import Testing

/// Folders and zip files of pictures, and what `ddn dataset` makes of them.
enum SmallDataset {
  static func bitmap(_ number: Int, side: Int = 32, channels: Int = 1) -> Bitmap {
    Bitmap(
      width: side, height: side, channels: channels,
      pixels: (0..<side * side * channels).map { UInt8(truncatingIfNeeded: $0 &* 5 &+ number &* 40) })
  }

  /// A folder `pictures` with two classes of pictures in a new folder, which is given back.
  static func folder(side: Int = 32, channels: Int = 1) throws -> URL {
    let folder = try Scratch.folder()
    for number in 0..<6 {
      let url = folder.appending(path: "pictures/\(number % 2 == 0 ? "even" : "odd")/\(number).png")
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try bitmap(number, side: side, channels: channels).write(to: url)
    }
    return folder
  }

  /// The bytes of a zip file that `ddn dataset convert` makes of such pictures.
  static let archive = Task {
    let folder = try SmallDataset.folder()
    let result = try await Command.run(["dataset", "convert", "pictures", "a.zip"], in: folder)
    try #require(result.exitCode == 0, "\(result.errors)")
    return try Data(contentsOf: folder.appending(path: "a.zip"))
  }

  static func names(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }
}

extension CommandTests {
  @Suite("ddn dataset makes and describes data sets, and ddn train learns from them") struct DatasetTests {
    @Test("a folder of pictures becomes a zip file that inspect describes and train takes") func zip() async throws {
      let folder = try SmallDataset.folder(side: 40, channels: 3)
      let made = try await Command.run(
        [
          "dataset", "convert", "pictures", "a.zip", "--resolution", "32x32", "--transform", "center-crop",
          "--channels",
          "gray",
        ], in: folder)
      #expect(made.exitCode == 0 && made.errors.isEmpty, "\(made)")
      #expect(made.output.contains("a.zip: 6 images, 32 x 32 gray"))

      let said = try await Command.run(["dataset", "inspect", "a.zip"], in: folder)
      #expect(said.exitCode == 0 && said.errors.isEmpty, "\(said)")
      for line in ["images        6", "size          32 x 32 gray: 6", "classes       2, 0...1", "class         1: 3"] {
        #expect(said.output.contains(line + "\n"))
      }
      #expect(try PNG.read(folder.appending(path: "a-sheet.png")).width > 10 * 32)

      for more in [["--xflip"], ["--cond", "--cache", "0"]] {
        let trained = try await Command.run(
          [
            "train", "--threads", "1", "--data", "a.zip", "--duration", "0.000012", "--batch", "4", "--nodes", "2",
            "--levels", "1", "--width", "2",
          ] + more, in: folder)
        #expect(trained.exitCode == 0 && trained.errors.isEmpty, "\(trained)")
        #expect(trained.output.contains(more == ["--xflip"] ? "12 images," : "6 images,"))
      }
      #expect(try SmallDataset.names(in: folder.appending(path: "runs")) == ["00000-a", "00001-a"])
    }

    @Test("inspect names the folders that are classes") func classFolders() async throws {
      let said = try await Command.run(
        ["dataset", "inspect", "pictures", "--sheet", "s.png"], in: SmallDataset.folder())
      #expect(said.exitCode == 0 && said.output.contains("class         0 (even): 3\n"), "\(said)")
    }

    @Test("a dry run says what would be made, and makes nothing") func dryRun() async throws {
      let folder = try SmallDataset.folder()
      let result = try await Command.run(
        ["dataset", "convert", "pictures", "a.zip", "-n", "--max-images", "4"], in: folder)
      #expect(result.exitCode == 0 && result.output == "would make a.zip of 4 images of pictures\n", "\(result)")
      #expect(try SmallDataset.names(in: folder) == ["pictures"])
    }

    @Test("bad images are listed and counted, and --strict exits with 65 at the first") func skipped() async throws {
      let folder = try SmallDataset.folder()
      try Data("no image".utf8).write(to: folder.appending(path: "pictures/odd/2.png"))
      let arguments = ["dataset", "convert", "pictures", "made"]
      let strict = try await Command.run(arguments + ["--strict"], in: folder)
      #expect(strict.isFailure(65, "odd/2.png"), "\(strict)")
      #expect(try SmallDataset.names(in: folder) == ["pictures"])

      let result = try await Command.run(arguments, in: folder)
      #expect(result.exitCode == 0 && result.output.contains("6 images, 32 x 32 gray, 1 skipped"), "\(result)")
      #expect(result.errors.hasPrefix("skipped ") && result.errors.contains("odd/2.png"))
      #expect(try SmallDataset.names(in: folder.appending(path: "made")) == ["00000", "dataset.json"])

      let said = try await Command.run(["dataset", "inspect", "pictures"], in: folder)
      #expect(said.isFailure(65, "odd/2.png") && said.output.contains("images        7"), "\(said)")
    }

    @Test("without a network, fetch says so in one line and exits with 1") func fetch() async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(
        ["dataset", "fetch", "mnist", "--url", "http://127.0.0.1:9/"], shell: "no_proxy=127.0.0.1 exec \"$@\"",
        in: folder)
      #expect(result.isFailure(1, "no network"), "\(result)")
    }

    @Test("what is there already is not replaced") func taken() async throws {
      let folder = try SmallDataset.folder()
      try Data("mine".utf8).write(to: folder.appending(path: "a.zip"))
      for dest in ["a.zip", "pictures"] {
        let result = try await Command.run(["dataset", "convert", "pictures", dest], in: folder)
        #expect(result.isFailure(1, "already"), "\(result)")
      }
      #expect(try Data(contentsOf: folder.appending(path: "a.zip")) == Data("mine".utf8))
    }
  }
}
