import DDNFiles
import Foundation
import Images
import Testing

extension CommandTests {
  @Suite("ddn neighbours") struct NeighbourTests {
    private struct Record: Decodable {
      struct Image: Decodable {
        struct Neighbour: Decodable {
          let index: Int
          let distance: Double
          let pixelDifference: Double
        }
        let name: String
        let code: String?
        let neighbours: [Neighbour]
      }
      let by: String
      let images: [Image]
    }

    private static func record(_ folder: URL) throws -> Record {
      try JSONDecoder().decode(Record.self, from: Data(contentsOf: folder.appending(path: "neighbours.json")))
    }

    /// A data set of 20 gray pictures of noise.
    private static func dataset(in folder: URL) throws {
      try Folder.create(folder.appending(path: "train"))
      var state: UInt32 = 1
      for number in 10..<30 {
        let pixels = (0..<1024).map { _ -> UInt8 in
          state = state &* 1_664_525 &+ 1_013_904_223
          return UInt8(state >> 24)
        }
        try Bitmap(width: 32, height: 32, channels: 1, pixels: pixels)
          .write(to: folder.appending(path: "train/\(number).png"))
      }
    }

    @Test("a copy of a training image is found and reported, by every measure that needs no weights")
    func copies() async throws {
      let folder = try Scratch.folder()
      try Self.dataset(in: folder)
      for measure in ["l2", "classifier"] {
        let result = try await Command.run(
          [
            "neighbours", "--data", "train", "--by", measure, "--images", "train/15.png", "train/22.png", "-n", "3",
            "--outdir", measure,
          ], in: folder)
        #expect(result.exitCode == 0, "\(result)")
        #expect(result.output.contains("2 of 2 images are near duplicates of training images"), "\(result)")
        let record = try Self.record(folder.appending(path: measure))
        #expect(record.by == measure && record.images.map(\.name) == ["train/15.png", "train/22.png"])
        for (image, index) in zip(record.images, [5, 12]) {
          #expect(image.neighbours.count == 3 && image.neighbours[0].index == index)
          #expect(image.neighbours[0].pixelDifference == 0 && image.neighbours[1].pixelDifference > 50)
          #expect(zip(image.neighbours, image.neighbours.dropFirst()).allSatisfy { $0.distance <= $1.distance })
        }
        #expect(try PNG.read(folder.appending(path: "\(measure)/neighbours.png")).width > 4 * 64)
      }
    }

    @Test("generated images have their seeds and codes, and none is noise") func generated() async throws {
      let folder = try Scratch.folder()
      try Self.dataset(in: folder)
      let arguments = ["neighbours", "--network", "mnist-k8-l3", "--data", "train", "--seeds", "3,5"]
      let result = try await Command.run(arguments, in: folder)
      #expect(result.exitCode == 0, "\(result)")
      #expect(result.output.hasPrefix("none of 2 images is a near duplicate of a neighbour: seed "), "\(result)")
      let record = try Self.record(folder.appending(path: "neighbours"))
      #expect(record.by == "classifier" && record.images.map(\.name) == ["seed 3", "seed 5"])
      #expect(record.images.allSatisfy { $0.code?.split(separator: ".").count == 3 && $0.neighbours.count == 8 })
      let again = try await Command.run(arguments + ["--dry-run", "--outdir", "other"], in: folder)
      #expect(again.exitCode == 0 && again.output.hasPrefix("would search 20 images"), "\(again)")
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "other").path))
    }

    @Test("mistakes are one line") func mistakes() async throws {
      let folder = try Scratch.folder()
      try Self.dataset(in: folder)
      for (arguments, code, part) in [
        (["--by", "lpips"], 64, "needs --weights"),
        (["--by", "l2", "--classifier", "digits"], 64, "--classifier is for"),
        (["--weights", "a.pth"], 64, "--by lpips"),
        (["--by", "lpips", "--weights", "absent.pth"], 66, "absent.pth"),
        (["--seeds", "0-500"], 64, "200 images"),
        (["-n", "0"], 64, "1...32"),
        (["--images", "train/15.png", "--seeds", "1"], 64, "for generated images"),
        (["--images", "absent.png"], 66, "absent.png"),
        (["--data", "absent"], 66, "absent"),
        (["--classifier", "absent"], 66, "no such classifier"),
        (["--network", "faces64"], 65, "64 x 64"),
      ] as [([String], Int32, String)] {
        let data = arguments.contains("--data") ? [] : ["--data", "train"]
        let result = try await Command.run(["neighbours"] + data + arguments, in: folder)
        #expect(result.isFailure(code, part), "\(arguments): \(result)")
      }
    }
  }
}
