import Foundation
import Images
import Testing

extension CommandErrorTests {
  @Suite("Damaged and malicious data sets are errors of one line") struct BadDatasetTests {
    /// Runs all commands that read data sets; expects the same error and no output.
    private static func expectFailure(
      _ code: Int32, _ words: String, _ name: String, in folder: URL,
      _ commands: [String] = ["train", "inspect", "convert"]
    ) async throws {
      let before = try SmallDataset.names(in: folder)
      for command in commands {
        let arguments =
          switch command {
          case "train": ["train", "--threads", "1", "--data", name]
          case "train recurrent": ["train", "--threads", "1", "--arch", "recurrent", "--data", name]
          case "inspect": ["dataset", "inspect", name]
          default: ["dataset", "convert", name, "out.zip", "--strict"]
          }
        let result = try await Command.run(arguments, in: folder)
        #expect(result.isFailure(code, words), "\(command): \(result)")
        #expect(try SmallDataset.names(in: folder) == before)
      }
    }

    /// Ways to damage a zip file, and words of the error.
    static let damage: [(words: String, apply: @Sendable (inout Data) -> Void)] = [
      ("is neither", { $0 = Data("no archive, but a text".utf8) }),
      ("is neither", { $0 = Data() }),
      ("truncated", { $0 = $0.prefix($0.count / 2) }),
      ("is neither", { $0 = $0.dropFirst(100) }), ("another offset than declared", { $0.removeSubrange(200..<300) }),
      ("holds no images", { $0 = Data([0x50, 0x4b, 5, 6]) + Data(count: 18) }),
      ("not a relative path", { $0.replaceAll("00000/img00000003", "../00/img00000003") }),
      ("not a relative path", { $0.replaceAll("00000/img00000003", "/etc//img00000003") }),
      ("two entries", { $0.replaceAll("img00000003", "img00000002") }),
      ("but there is no such image", { $0.replaceAll("img00000003.png", "img00000009.png", onlyNames: true) }),
      ("is encrypted", { $0.patchDirectory(at: 8, [1]) }),
      ("more than the 536870912", { $0.patchDirectory(at: 20, [UInt8](repeating: 0xfe, count: 8)) }),
      ("two different sizes", { $0.patchDirectory(at: 24, [0xff]) }),
      ("overlap", { $0.patchDirectory(at: 42, [9]) }),
    ]

    @Test(
      "a zip file that is damaged, truncated, empty, a bomb, or malicious exits with 65", arguments: damage.indices)
    func archives(index: Int) async throws {
      let folder = try Scratch.folder()
      var bytes = try await SmallDataset.archive.value
      let whole = bytes
      Self.damage[index].apply(&bytes)
      try #require(bytes != whole)
      try bytes.write(to: folder.appending(path: "a.zip"))
      try await Self.expectFailure(65, Self.damage[index].words, "a.zip", in: folder)
    }

    @Test("a damaged image in a zip file exits with 65 and names the image") func damagedImage() async throws {
      let folder = try Scratch.folder()
      var bytes = try await SmallDataset.archive.value
      let place = try #require(bytes.range(of: Data("IDAT".utf8)))
      bytes[place.upperBound + 20] ^= 1
      try bytes.write(to: folder.appending(path: "a.zip"))
      try await Self.expectFailure(65, "00000/img00000000.png: is damaged", "a.zip", in: folder, ["train", "convert"])
    }

    @Test("labels that do not match exit with 65")
    func labels() async throws {
      let folder = try SmallDataset.folder()
      let file = folder.appending(path: "pictures/dataset.json")
      for (json, words) in [
        (#"{"labels": [["even/0.png", 1]]}"#, "no label for 5 of 6 images"),
        (#"{"labels": [["even/7.png", 1]]}"#, "no such image"), (#"{"labels": [["even/0.png", -3]]}"#, "class -3"),
        (#"{"labels": [["even/0.png", 99999999999]]}"#, "class 99999999999"),
        (#"{"labels": [["even/0.png", [0.5, 0.5]]]}"#, "vectors are not supported"), ("labels", "not JSON"),
      ] {
        try Data(json.utf8).write(to: file)
        try await Self.expectFailure(65, words, "pictures", in: folder)
      }
    }

    @Test("a missing path and an empty folder exit with 66") func missing() async throws {
      let folder = try Scratch.folder()
      try FileManager.default.createDirectory(at: folder.appending(path: "empty"), withIntermediateDirectories: false)
      try await Self.expectFailure(66, "nowhere", "nowhere", in: folder)
      try await Self.expectFailure(66, "no images in this folder", "empty", in: folder)
    }

    @Test("mixed sizes, mixed channels, and RGB for a gray network exit with 65") func mixed() async throws {
      let folder = try SmallDataset.folder()
      let odd = folder.appending(path: "pictures/odd/1.png")
      try SmallDataset.bitmap(1, side: 16).write(to: odd)
      try await Self.expectFailure(65, "odd/1.png: is 16 x 16 gray", "pictures", in: folder, ["train", "convert"])
      try SmallDataset.bitmap(1, channels: 3).write(to: odd)
      try await Self.expectFailure(65, "RGB", "pictures", in: folder, ["train", "convert"])

      let colours = try SmallDataset.folder(channels: 3)
      try await Self.expectFailure(
        65, "the recurrent network takes 32 x 32 gray", "pictures", in: colours, ["train recurrent"])
      let large = try SmallDataset.folder(side: 64)
      try await Self.expectFailure(
        65, "64 x 64 gray, but the recurrent network", "pictures", in: large, ["train recurrent"])
    }

    @Test("training works with one image") func one() async throws {
      let folder = try Scratch.folder()
      let picture = folder.appending(path: "one/a.png")
      try FileManager.default.createDirectory(at: folder.appending(path: "one"), withIntermediateDirectories: false)
      try SmallDataset.bitmap(0).write(to: picture)
      let result = try await Command.run(
        [
          "train", "--threads", "1", "--data", "one", "--duration", "0.000004", "--batch", "2", "--nodes", "2",
          "--levels", "1", "--width", "2",
        ], in: folder)
      #expect(result.exitCode == 0 && result.errors.isEmpty, "\(result)")
    }
  }
}

extension Data {
  /// Replaces every occurrence of a text by one of the same length.
  ///
  /// - Parameter onlyNames: leaves `dataset.json` as it is, the last entry of an archive.
  fileprivate mutating func replaceAll(_ text: String, _ other: String, onlyNames: Bool = false) {
    let labels = onlyNames ? range(of: Data("{\"labels\"".utf8)) : nil
    let directory = onlyNames ? range(of: Data([0x50, 0x4b, 1, 2])) : nil
    var start = startIndex
    while let place = range(of: Data(text.utf8), in: start..<endIndex) {
      let isLabel = labels.map { $0.lowerBound < place.lowerBound && place.lowerBound < directory!.lowerBound } ?? false
      if !isLabel { replaceSubrange(place, with: Data(other.utf8)) }
      start = place.upperBound
    }
  }

  /// Overwrites bytes of the second record of a zip file's directory.
  fileprivate mutating func patchDirectory(at offset: Int, _ bytes: [UInt8]) {
    let signature = Data([0x50, 0x4b, 1, 2])
    let first = range(of: signature)!
    let second = range(of: signature, in: first.upperBound..<endIndex)!
    replaceSubrange(second.lowerBound + offset..<second.lowerBound + offset + bytes.count, with: bytes)
  }
}
