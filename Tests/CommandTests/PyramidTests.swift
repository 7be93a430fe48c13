import DDNFiles
import Foundation
import Images
import Testing

extension CommandTests {
  @Suite("A pyramid network from training to images") struct PyramidTests {
    /// A folder of 24 colour pictures of 8 x 8, in two classes that differ in colour.
    private static let pictures = Task {
      let folder = try Scratch.folder()
      for index in 0..<24 {
        let (parent, shade) = (index % 2 == 0 ? "red" : "blue", UInt8(100 + index * 5))
        let pixel: [UInt8] = index % 2 == 0 ? [shade, 20, 30] : [10, 40, shade]
        try Folder.create(folder.appending(path: parent))
        try Bitmap(width: 8, height: 8, channels: 3, pixels: (0..<64).flatMap { _ in pixel })
          .write(to: folder.appending(path: "\(parent)/\(index).png"))
      }
      return folder
    }

    private static let small = [
      "--threads", "1", "--max-blockn", "2", "--max-outputk", "4", "--cbase", "64", "--cmax", "8", "--batch", "8",
      "--tick", "1", "--snap", "1",
    ]

    private static func train(_ arguments: [String], in folder: URL) async throws -> URL {
      let data = try await pictures.value.path
      let result = try await Command.run(["train", "--data", data, "--outdir", "runs"] + small + arguments, in: folder)
      try #require(result.exitCode == 0, "\(result.errors)")
      let name = try #require(Folder.names(in: folder.appending(path: "runs")).first)
      return folder.appending(path: "runs/\(name)")
    }

    /// A class-conditional run.
    private static let classRun = Task {
      try await train(["--cond", "--xflip", "--duration", "0.002"], in: try Scratch.folder())
    }

    @Test("it trains on a folder with classes, in micro-batches, and resumes")
    func training() async throws {
      let run = try await Self.train(
        ["--batch-gpu", "4", "--lr-rampup", "0.0005", "--duration", "0.001"], in: Scratch.folder())
      let more = try await Command.run(["train", "--resume", run.path, "--duration", "0.002"])
      #expect(more.exitCode == 0 && more.output.contains("continuing after 1000"), "\(more.errors)\(more.output)")
      let lines = try String(contentsOf: run.appending(path: "stats.jsonl"), encoding: .utf8).split(separator: "\n")
      let losses = try lines.map { line in
        try #require((try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["loss"] as? Double)
      }
      #expect(losses.count == 2 && losses[1] < losses[0])
      let info = try await Command.run(["info", "--network", run.path])
      #expect(info.output.contains("pyramid of 7 levels") && info.output.contains("4x4_0_up"))
    }

    @Test("training the original's large network on a CPU prints a note, a small one does not")
    func cost() async throws {
      let folder = try Scratch.folder()
      for index in 0..<2 {
        try Bitmap(width: 32, height: 32, channels: 3, pixels: [UInt8](repeating: 50, count: 32 * 32 * 3))
          .write(to: folder.appending(path: "\(index).png"))
      }
      let large = try await Command.run(["train", "--data", folder.path, "--dry-run"])
      // Three times the 88.4 billion of ddn info, which counts the forward pass.
      #expect(large.exitCode == 0 && large.errors.contains("265 billion operations"), "\(large.errors)")
      let small = try await Command.run(["train", "--data", folder.path, "--dry-run"] + Self.small)
      #expect(small.exitCode == 0 && small.errors.isEmpty, "\(small.errors)")
    }

    @Test("it draws classes in columns and writes codes and an archive of examples")
    func generating() async throws {
      let run = try await Self.classRun.value
      let folder = try Scratch.folder()
      let result = try await Command.run(
        ["generate", "--network", run.path, "--seeds", "0-11", "--outdir", "out", "--batch", "5"], in: folder)
      try #require(result.exitCode == 0, "\(result.errors)")
      #expect(try Folder.names(in: folder) == ["out"])
      #expect(
        try Folder.names(in: folder.appending(path: "out")) == [
          ".ddn-output.json", "codes.txt", "examples.zip", "images", "samples.png",
        ])
      let grid = try PNG.read(folder.appending(path: "out/samples.png"))
      // Two classes in ten columns, 12 pictures in two rows.
      #expect(grid.width == 10 * 18 + 2 && grid.height == 2 * 18 + 2)
      let codes = try String(contentsOf: folder.appending(path: "out/codes.txt"), encoding: .utf8).split(
        separator: "\n")
      #expect(codes.count == 12 && codes[0].hasPrefix("000000.png ") && codes[0].split(separator: ".").count == 8)
      // Every second image is of class 1, in codes.txt and dataset.json.
      #expect(codes.enumerated().allSatisfy { $1.hasSuffix(" \($0 % 2)") })
      for data in ["out/examples.zip", "out/images"] {
        let inspected = try await Command.run(
          ["dataset", "inspect", data, "--sheet", "\(data.count).png"], in: folder)
        #expect(inspected.exitCode == 0 && inspected.output.contains("12"), "\(inspected.errors)")
        #expect(data == "out/examples.zip" || inspected.output.contains("class         1: 6"), "\(inspected)")
      }
      let decoded = try await Command.run(
        ["decode", "out/codes.txt", "--network", run.path, "--outdir", "decoded"], in: folder)
      #expect(decoded.exitCode == 0, "\(decoded)")
      for name in try Folder.names(in: folder.appending(path: "out/images")) {
        let files = ["out", "decoded"].map { folder.appending(path: "\($0)/images/\(name)") }
        #expect(try Data(contentsOf: files[0]) == Data(contentsOf: files[1]), "\(name)")
      }
      let one = try await Command.run(
        ["generate", "--network", run.path, "--class", "1", "--seeds", "3", "--outdir", "one"], in: folder)
      #expect(one.exitCode == 0)
      // Classes differ, seeds are the same.
      let other = try await Command.run(
        ["generate", "--network", run.path, "--class", "0", "--seeds", "3", "--outdir", "other"], in: folder)
      #expect(other.exitCode == 0)
      #expect(
        try PNG.read(folder.appending(path: "one/images/000003.png"))
          != PNG.read(folder.appending(path: "other/images/000003.png")))
    }

    @Test("it reconstructs a data set and images of other sizes, with a table of each image's quality")
    func reconstructing() async throws {
      let run = try await Self.classRun.value
      let folder = try Scratch.folder()
      let data = try await Self.pictures.value
      let result = try await Command.run(
        ["reconstruct", "--network", run.path, "--data", data.path, "--outdir", "out", "--count", "20"], in: folder)
      try #require(result.exitCode == 0, "\(result.errors)")
      #expect(result.output.contains("20 images: PSNR") && result.output.contains("14.0 bits each (0.2188 a pixel)"))
      let table = try String(contentsOf: folder.appending(path: "out/images.csv"), encoding: .utf8).split(
        separator: "\n")
      #expect(table[0] == "image,mse,psnr_db,ssim,bits,bits_per_pixel,code" && table.count == 21)
      for row in table.dropFirst() {
        let cells = row.split(separator: ",")
        let (error, noise) = (try #require(Double(cells[1])), try #require(Double(cells[2])))
        #expect(abs(noise - 10 * log10(4 / error)) < 0.01)
      }
      // Its codes and classes give the reconstructions.
      let codes = try String(contentsOf: folder.appending(path: "out/codes.txt"), encoding: .utf8)
      #expect(codes.split(separator: "\n").count == 20 && codes.hasPrefix("0 "), "\(codes)")
      let decoded = try await Command.run(
        ["decode", "out/codes.txt", "--network", run.path, "--outdir", "decoded"], in: folder)
      #expect(decoded.exitCode == 0, "\(decoded)")
      try Bitmap(width: 31, height: 17, channels: 1, shade: 90).write(to: folder.appending(path: "gray.png"))
      let picture = try await Command.run(
        ["reconstruct", "--network", run.path, "gray.png", "--class", "1", "--outdir", "two"], in: folder)
      #expect(picture.exitCode == 0 && picture.output.contains("1 image:"), "\(picture.errors)")
    }

    @Test("a model with conditions on images needs an image, of any size")
    func conditions() async throws {
      let folder = try Scratch.folder()
      let run = try await Self.train(["--condition", "color,resize2", "--duration", "0.0005"], in: folder)
      try Bitmap(width: 40, height: 30, channels: 3, shade: 200).write(to: folder.appending(path: "source.png"))
      let arguments = ["generate", "--network", run.path, "--seeds", "0-3", "--outdir", "out"]
      let drawn = try await Command.run(arguments + ["--condition-image", "source.png"], in: folder)
      #expect(drawn.exitCode == 0, "\(drawn.errors)")
      #expect(try await Command.run(arguments, in: folder).isFailure(64, "--condition-image"))
      #expect(try await Command.run(arguments + ["--condition-image", "no.png"], in: folder).isFailure(66, "no.png"))
      let styled = try await Command.run(
        ["guide", "--network", run.path, "--guide", "l2", "--image", "source.png", "--condition-image", "source.png"],
        in: folder)
      #expect(styled.exitCode == 0 && styled.errors.contains("source.png is blank"), "\(styled)")
      let digits = ["generate", "--network", "mnist", "--seeds", "1", "--condition-image", "source.png"]
      #expect(try await Command.run(digits, in: folder).isFailure(64, "not conditioned on images"))
      let data = try await Self.pictures.value.path
      let found = try await Command.run(
        ["reconstruct", "--network", run.path, "--data", data, "--outdir", "rec"], in: folder)
      #expect(found.exitCode == 0, "\(found.errors)")
    }

    @Test("mismatched options and images are errors of one line")
    func misfits() async throws {
      let folder = try Scratch.folder()
      let data = try await Self.pictures.value
      let run = try await Self.classRun.value
      try Bitmap(width: 8, height: 8, channels: 1, shade: 3).write(
        to: folder.appending(path: "gray/1.png").creatingParent())
      let cases: [([String], Int32, String)] = [
        (["train", "--data", data.path, "--nodes", "4", "--max-blockn", "1"], 64, "--max-blockn"),
        (["train", "--data", data.path, "--arch", "pyramid", "--levels", "3"], 64, "--levels"),
        (["train", "--data", data.path, "--nodes", "4"], 65, "8 x 8 RGB"),
        (["train", "--data", data.path, "--batch", "8", "--batch-gpu", "3"], 64, "micro-batches of 3"),
        (["train", "--data", data.path, "--lr-rampup", "9"], 64, "ramp"),
        (["train", "--data", data.path, "--augment", "5"], 64, "--augment"),
        (["train", "--data", data.path, "--augment", "a lot"], 64, "--augment"),
        (["train", "--data", data.path, "--warp", "2"], 64, "--warp"),
        (["train", "--data", data.path, "--shade", "-1"], 64, "--shade"),
        (["train", "--data", data.path, "--mix", "nan"], 64, "--mix"),
        (["train", "--data", data.path, "--beams", "0"], 64, "--beams"),
        (["train", "--data", data.path, "--beams", "2", "--loss", "absolute"], 64, "squared errors"),
        (["train", "--data", data.path, "--condition", "smell"], 64, "smell"),
        (["train", "--data", data.path, "--condition", "class2"], 64, "--cond"),
        (["train", "--data", data.path, "--condition", "resize99"], 64, "resize99"),
        (["train", "--data", "gray", "--arch", "pyramid", "--cond"], 64, "classes"),
        (["train", "--data", data.path, "--arch", "cubic"], 64, "cubic"),
        (["reconstruct", "--network", run.path, "--data", "gray"], 65, "8 x 8 gray"),
        (["reconstruct", "--network", run.path], 65, "32 x 32 gray"),
        (["generate", "--network", run.path, "--class", "2"], 64, "--class 2"),
      ]
      for (arguments, code, words) in cases {
        let result = try await Command.run(arguments, in: folder)
        #expect(result.isFailure(code, words), "\(arguments): \(result.exitCode) \(result.errors)")
      }
      #expect(try Folder.names(in: folder) == ["gray"])
    }
  }
}

extension URL {
  /// The same, after its folder is created.
  fileprivate func creatingParent() throws -> URL {
    try Folder.create(deletingLastPathComponent())
    return self
  }
}
