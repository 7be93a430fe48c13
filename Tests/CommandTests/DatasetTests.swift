import Foundation
import Images
import Testing

/// `ddn dataset` with folders and zip files of images.
enum SmallDataset {
  static func bitmap(_ number: Int, side: Int = 32, channels: Int = 1) -> Bitmap {
    Bitmap(
      width: side, height: side, channels: channels,
      pixels: (0..<side * side * channels).map { UInt8(truncatingIfNeeded: $0 &* 5 &+ number &* 40) })
  }

  /// Creates a folder with a folder `pictures` of two classes; returns the parent.
  static func folder(side: Int = 32, channels: Int = 1) throws -> URL {
    let folder = try Scratch.folder()
    for number in 0..<6 {
      let url = folder.appending(path: "pictures/\(number % 2 == 0 ? "even" : "odd")/\(number).png")
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try bitmap(number, side: side, channels: channels).write(to: url)
    }
    return folder
  }

  /// The bytes of a zip file that `ddn dataset convert` writes of these images.
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
  @Suite("ddn dataset converts and describes data sets for ddn train") struct DatasetTests {
    @Test("a folder of images is converted to a zip file that inspect describes and train accepts") func zip()
      async throws
    {
      let folder = try SmallDataset.folder(side: 40, channels: 3)
      let made = try await Command.run(
        [
          "dataset", "convert", "pictures", "a.zip", "--resolution", "32", "--transform", "center-crop",
          "--channels",
          "gray",
        ], in: folder)
      #expect(made.exitCode == 0 && made.errors.isEmpty, "\(made)")
      #expect(made.output.contains("a.zip: 6 images, 32 x 32 gray"))

      let said = try await Command.run(["dataset", "inspect", "a.zip", "--sheet", "a-sheet.png"], in: folder)
      #expect(said.exitCode == 0 && said.errors.isEmpty, "\(said)")
      for line in [
        "images        6", "size          32 x 32 gray: 6", "classes       2, 0...1", "class         1 (odd): 3",
      ] {
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

    @Test("inspect names classes from folders") func classFolders() async throws {
      let said = try await Command.run(
        ["dataset", "inspect", "pictures", "--sheet", "s.png"], in: SmallDataset.folder())
      #expect(said.exitCode == 0 && said.output.contains("class         0 (even): 3\n"), "\(said)")
    }

    @Test("inspect writes images only with --sheet, and overwrites only with --overwrite") func sheet() async throws {
      let folder = try SmallDataset.folder()
      #expect(try await Command.run(["dataset", "inspect", "pictures"], in: folder).exitCode == 0)
      #expect(try SmallDataset.names(in: folder) == ["pictures"])
      let mine = folder.appending(path: "s.png")
      try Data("mine".utf8).write(to: mine)
      let arguments = ["dataset", "inspect", "pictures", "--sheet", "s.png"]
      let refused = try await Command.run(arguments, in: folder)
      #expect(refused.isFailure(1, "give --overwrite"), "\(refused)")
      #expect(try Data(contentsOf: mine) == Data("mine".utf8))
      #expect(try await Command.run(arguments + ["--overwrite"], in: folder).exitCode == 0)
      #expect(try PNG.read(mine).width > 0)
    }

    @Test("a converted data set stores class names and how digits were resized") func kept() async throws {
      let folder = try SmallDataset.folder()
      #expect(try await Command.run(["dataset", "convert", "pictures", "a.zip"], in: folder).exitCode == 0)
      let said = try await Command.run(["dataset", "inspect", "a.zip"], in: folder)
      #expect(said.output.contains("class         0 (even): 3\n"), "\(said)")
      let digits = folder.appending(path: "digits")
      try FileManager.default.createDirectory(at: digits, withIntermediateDirectories: false)
      try (Data([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28]) + Data((0..<784).map { UInt8($0 % 251) }))
        .write(to: digits.appending(path: "train-images-idx3-ubyte"))
      try Data([0, 0, 8, 1, 0, 0, 0, 1, 7]).write(to: digits.appending(path: "train-labels-idx1-ubyte"))
      for (name, options) in [("bilinear", []), ("padded", ["--resize", "padded"])] {
        let made = try await Command.run(["dataset", "convert", "digits", "\(name).zip"] + options, in: folder)
        #expect(made.exitCode == 0, "\(made)")
        let said = try await Command.run(["dataset", "inspect", "\(name).zip"], in: folder)
        #expect(said.output.contains("preparation   28x28 made 32x32: \(name)\n"), "\(said)")
      }
    }

    @Test("convert lists unusable images, and train names one") func unusable() async throws {
      let folder = try SmallDataset.folder()
      let link = folder.appending(path: "pictures/odd/gone.png")
      try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "nowhere.png")
      try Data("notes".utf8).write(to: folder.appending(path: "pictures/odd/notes.txt"))
      let made = try await Command.run(["dataset", "convert", "pictures", "a.zip"], in: folder)
      #expect(made.exitCode == 0 && made.output.contains("6 images, 32 x 32 gray, 1 skipped"), "\(made)")
      #expect(made.errors.contains("gone.png: is a broken link"))
      #expect(made.errors.contains("note: skipped 1 file that is not an image: .txt 1\n"))
      for arguments in [
        ["dataset", "convert", "pictures", "b.zip", "--strict"], ["train", "-n", "--data", "pictures"],
      ] {
        let refused = try await Command.run(arguments, in: folder)
        #expect(refused.exitCode == 66 && refused.errors.contains("gone.png: is a broken link"), "\(refused)")
      }
    }

    @Test("a dry run of train and inspect find an image of another size") func mixedSizes() async throws {
      let folder = try SmallDataset.folder()
      try SmallDataset.bitmap(1, side: 16).write(to: folder.appending(path: "pictures/odd/1.png"))
      let dry = try await Command.run(["train", "-n", "--threads", "1", "--data", "pictures"], in: folder)
      #expect(dry.exitCode == 65 && dry.errors.contains("odd/1.png: is 16 x 16 gray"), "\(dry)")
      let said = try await Command.run(["dataset", "inspect", "pictures"], in: folder)
      #expect(said.exitCode == 0 && said.output.contains("training      refused: there are 2 sizes"), "\(said)")
    }

    @Test("images of a single shade are noted") func noContrast() async throws {
      let folder = try Scratch.folder()
      try FileManager.default.createDirectory(at: folder.appending(path: "p"), withIntermediateDirectories: false)
      try Bitmap(width: 8, height: 8, channels: 1, shade: 0).write(to: folder.appending(path: "p/a.png"))
      for arguments in [["inspect", "p"], ["convert", "p", "a.zip"]] {
        let said = try await Command.run(["dataset"] + arguments, in: folder)
        #expect(said.exitCode == 0 && said.errors.contains("note: no image has any contrast"), "\(said)")
      }
    }

    @Test("a dry run prints the plan and writes nothing") func dryRun() async throws {
      let folder = try SmallDataset.folder()
      let result = try await Command.run(
        ["dataset", "convert", "pictures", "a.zip", "-n", "--max-images", "4"], in: folder)
      #expect(result.exitCode == 0 && result.output == "would convert 4 images of pictures to a.zip\n", "\(result)")
      #expect(try SmallDataset.names(in: folder) == ["pictures"])
    }

    @Test("unusable images are listed and counted, and --strict exits with 65 at the first") func skipped() async throws
    {
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

    @Test("without a network, fetch is an error of one line and exits with 1") func fetch() async throws {
      let folder = try Scratch.folder()
      let result = try await Command.run(
        ["dataset", "fetch", "mnist", "--url", "http://127.0.0.1:9/"], shell: "no_proxy=127.0.0.1 exec \"$@\"",
        in: folder)
      #expect(result.isFailure(1, "no network"), "\(result)")
    }

    @Test("existing files are not replaced") func taken() async throws {
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
