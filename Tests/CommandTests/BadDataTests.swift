import Foundation
import Testing

extension CommandErrorTests {
  @Suite("Damaged training images are errors of one line, and no run starts") struct BadDataTests {
    private static let images = "train-images-idx3-ubyte"
    private static let labels = "train-labels-idx1-ubyte"
    /// One white digit.
    private static let image =
      Data([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28]) + Data(repeating: 255, count: 784)
    private static let label = Data([0, 0, 8, 1, 0, 0, 0, 1, 7])

    /// Runs `ddn train` on a folder with these files.
    private static func train(_ files: [String: Data]) async throws -> Command.Result {
      let folder = try Scratch.folder()
      let data = folder.appending(path: "data")
      try FileManager.default.createDirectory(at: data, withIntermediateDirectories: false)
      for (name, bytes) in files { try bytes.write(to: data.appending(path: name)) }
      let result = try await Command.run(
        [
          "train", "--threads", "1", "--data", "data", "--duration", "0.000001", "--batch", "1", "--nodes", "2",
          "--levels", "1", "--width", "2",
        ], in: folder)
      if result.exitCode != 0 {
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["data"])
      }
      return result
    }

    @Test("one digit is enough") func whole() async throws {
      let result = try await Self.train([Self.images: Self.image, Self.labels: Self.label])
      // Its class is the highest; a note says that lower ones have no images.
      #expect(
        result.exitCode == 0 && result.errors.hasPrefix("note: 7 of the classes 0...7 have no images"), "\(result)")
      #expect(result.errors.split(separator: "\n").count == 1)
    }

    @Test("a missing or empty folder exits with 66") func missing() async throws {
      let nowhere = try await Command.run(["train", "--data", "nowhere"], in: Scratch.folder())
      #expect(nowhere.isFailure(66, "nowhere"), "\(nowhere)")
      #expect(try await Self.train([:]).isFailure(66, "-ubyte"))
      #expect(try await Self.train([Self.labels: Self.label]).isFailure(66, Self.images))
      #expect(try await Self.train([Self.images: Self.image]).isFailure(66, Self.labels))
    }

    @Test("a truncated gzip file exits with 65") func cutGzip() async throws {
      let shipped = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/DDNData/Resources/mnist-test")
      let images = try Data(contentsOf: shipped.appending(path: "t10k-images-idx3-ubyte.gz"))
      let labels = try Data(contentsOf: shipped.appending(path: "t10k-labels-idx1-ubyte.gz"))
      let result = try await Self.train([
        Self.images + ".gz": images.prefix(images.count / 2), Self.labels + ".gz": labels,
      ])
      #expect(result.isFailure(65, Self.images), "\(result)")
    }

    @Test("another kind of file, no images and a truncated file exit with 65") func damaged() async throws {
      let noImages = Self.image.prefix(4) + Data(count: 4) + Self.image[8..<16]
      let noLabels = Self.label.prefix(4) + Data(count: 4)
      let cases: [(images: Data, labels: Data)] = [
        (Self.label, Self.label), (Data("P5 28 28".utf8), Self.label), (Data(), Self.label), (noImages, Self.label),
        (noImages, noLabels), (Self.image.dropLast(), Self.label), (Self.image, Self.image),
      ]
      for (images, labels) in cases {
        let result = try await Self.train([Self.images: images, Self.labels: labels])
        #expect(result.isFailure(65, "-ubyte"), "\(result)")
      }
    }

    @Test("an invalid image exits with 65, a missing one with 66") func pictures() async throws {
      let network = try await ShortTraining.finished.value
      let folder = try Scratch.folder()
      try Data("no picture".utf8).write(to: folder.appending(path: "text.png"))
      for (name, code) in [("text.png", Int32(65)), ("nothing.png", 66)] {
        let result = try await Command.run(["reconstruct", "--network", network.path, name], in: folder)
        #expect(result.isFailure(code, name), "\(result)")
      }
    }
  }
}
