import ArchivesSupport
import DDNFiles
import Foundation
import Images
import Testing

@testable import DDNData

@Suite("CIFAR-10, CIFAR-100 and tar archives")
struct CifarTests {
  /// `[3, 32, 32]` of image `number`.
  private static func planes(_ number: Int) -> [UInt8] {
    (0..<Cifar.pixelCount).map { UInt8(truncatingIfNeeded: $0 &* 3 &+ number &* 17 &+ $0 / 1024) }
  }

  private static func binary(_ labels: [UInt8]) -> Data {
    labels.enumerated().reduce(Data()) { $0 + [$1.element] + planes($1.offset) }
  }

  private static let batches = (1...5).map { "data_batch_\($0).bin" }

  @Test("The archive and the unpacked folder are the same images and classes")
  func forms() throws {
    try withTemporaryFolder { (folder) throws in
      let inner = folder.appendingPathComponent("cifar-10-batches-bin")
      let batch = Self.binary([3, 9])
      try write(Self.batches.map { ($0, batch) }, to: inner)
      let archive = folder.appendingPathComponent("cifar-10-binary.tar.gz")
      try gzip(
        tar(
          [("cifar-10-batches-bin/batches.meta.txt", Data("other".utf8))]
            + Self.batches.map { ("cifar-10-batches-bin/\($0)", batch) })
      ).write(to: archive)
      for place in [inner, folder, archive] {
        let images = try openImages(place)
        #expect(images.name == "cifar10-train" && images.count == 10)
        #expect(images.labels == [3, 9, 3, 9, 3, 9, 3, 9, 3, 9])
        let bitmap = try images.bitmap(3, channels: .asStored)
        let planes = (0..<3).flatMap { channel in (0..<1024).map { place in bitmap.pixels[place * 3 + channel] } }
        #expect(planes == Self.planes(1))
        #expect(throws: FileError.self) { try openImages(place, split: .test) }
      }
    }
  }

  @Test("CIFAR-100 has a group and a class before each image; the classes are read") func hundred() throws {
    let batch = [UInt8(3), 99, 7, 0].enumerated().reduce(Data()) { data, label in
      data + (label.offset % 2 == 0 ? [label.element] : [label.element] + Self.planes(label.offset / 2))
    }
    try withTemporaryFolder { (folder) throws in
      let inner = folder.appendingPathComponent("cifar-100-binary")
      let files = ["train.bin", "test.bin"].map { ($0, batch) } + [("fine_label_names.txt", Data("apple".utf8))]
      try write(files, to: inner)
      let archive = folder.appendingPathComponent("cifar-100-binary.tar.gz")
      try gzip(tar(files.map { ("cifar-100-binary/\($0)", $1) })).write(to: archive)
      for place in [inner, folder, archive] {
        let images = try openImages(place, split: .test)
        #expect(images.name == "cifar100-test" && images.labels == [99, 0], "\(place)")
        let bitmap = try images.bitmap(1, channels: .asStored)
        #expect((0..<1024).map { bitmap.pixels[3 * $0] } == Array(Self.planes(1)[..<1024]))
      }
    }
  }

  @Test(
    "The Python version, packed or unpacked, is refused with the command that fetches the binary one",
    arguments: [
      ("cifar10", "cifar-10-batches-py", ["data_batch_1", "test_batch"]),
      ("cifar100", "cifar-100-python", ["meta", "test", "train"]),
    ])
  func pythonVersion(name: String, inner: String, batches: [String]) throws {
    let files = batches.map { ($0, Data([0x80, 2, 0x7D])) }
    try withTemporaryFolder { (folder) throws in
      try write(files, to: folder.appendingPathComponent(inner))
      let archive = folder.appendingPathComponent("python.tar.gz")
      try gzip(tar(files.map { ("\(inner)/\($0)", $1) })).write(to: archive)
      for place in [folder, folder.appendingPathComponent(inner), archive] {
        let error = try #require(throws: FileError.self) { try openImages(place) }
        #expect(error.problem == "is the Python version of \(name)")
        #expect(error.remedy.contains("ddn dataset fetch \(name)"))
        #expect(PublishedDataset(rawValue: name) != nil)
      }
    }
  }

  @Test("Folders called train, test and meta are no Python version of CIFAR-100") func otherFolders() throws {
    try withTemporaryFolder { (folder) throws in
      for name in ["train", "test", "meta"] {
        try write([("1.png", try PNG.encode(testImage(1)))], to: folder.appendingPathComponent(name))
      }
      #expect(try openImages(folder).count == 3)
    }
  }

  @Test("A tar archive of images is a data set like a folder of them, classes and long names included")
  func tarOfImages()
    throws
  {
    let long = "pics/dogs/" + String(repeating: "d", count: 120) + ".png"
    let length = " path=\(long)\n".utf8.count
    let pax = "\(length + 3) path=\(long)\n"
    let files: [(name: String, content: Data)] = [
      ("./pics/cats/1.png", try PNG.encode(testImage(1))), ("pics/notes.txt", Data("x".utf8)),
      ("pax", Data(pax.utf8)), ("short.png", try PNG.encode(testImage(2))),
    ]
    var bytes = tar(files)
    // The third is an extended header.
    let place = try #require(bytes.range(of: Data("pax\0".utf8))).lowerBound
    bytes[place + 156] = UInt8(ascii: "x")
    let sum = bytes[place..<place + 512].enumerated().reduce(0) {
      $0 + Int((148..<156).contains($1.offset) ? UInt8(ascii: " ") : $1.element)
    }
    let octal = String(sum, radix: 8)
    bytes.replaceSubrange(
      place + 148..<place + 155, with: Data((String(repeating: "0", count: 6 - octal.count) + octal + "\0").utf8))
    try withTemporaryFolder { (folder) throws in
      for (name, content) in [("a.tar", bytes), ("a.tar.gz", gzip(bytes))] {
        let url = folder.appendingPathComponent(name)
        try content.write(to: url)
        let images = try openImages(url)
        #expect(images.name == "a" && images.count == 2 && images.classNames == ["cats", "dogs"])
        #expect((0..<2).map { images.name(of: $0) } == ["pics/cats/1.png", long])
        #expect(try images.bitmap(1, channels: .asStored) == testImage(2))
        #expect(images.notes.contains { $0.contains("skipped 1 file") })
      }
    }
  }

  @Test("A batch that is truncated, mislabelled or missing is an error")
  func damaged() throws {
    try withTemporaryFolder { (folder) throws in
      let file = folder.appendingPathComponent("test_batch.bin")
      for (bytes, words) in [
        (Self.binary([1]).dropLast(), "no whole records"), (Data(), "no whole records"),
        (Self.binary([1, 10]), "label 1 is 10"),
      ] {
        try bytes.write(to: file)
        let error = try #require(throws: FileError.self) { try openImages(folder, split: .test) }
        #expect(error.kind == .invalid && error.problem.contains(words))
      }
      #expect(try #require(throws: FileError.self) { try openImages(folder, split: .train) }.kind == .missing)
    }
  }

  @Test("A tar archive that is truncated, changed or not one is an error")
  func damagedArchive() throws {
    let whole = tar([("a/test_batch.bin", Self.binary([1]))])
    try withTemporaryFolder { (folder) throws in
      let url = folder.appendingPathComponent("a.tar")
      func problem(_ bytes: Data) throws -> String {
        try bytes.write(to: url)
        return try #require(throws: FileError.self) { try openImages(url, split: .test) }.problem
      }
      for length in [513, 1000, 3000, 3584] { #expect(try problem(whole.prefix(length)).contains("truncated")) }
      var changed = whole
      changed[130] ^= 1
      #expect(try problem(changed).contains("checksum is wrong"))
      #expect(try problem(tar([("other", Data(count: 600))])).contains("holds no images; skipped 1 file"))
      #expect(
        try problem(tar([("data_batch_1.bin", Data(count: 6))])).contains("has no test_batch.bin"))
      #expect(
        try problem(tar([("test_batch.bin", Data()), ("x/test_batch.bin", Data())])).contains("twice"))
      let long = tar([("test_batch.bin", Data(count: 65 << 20))])
      #expect(try problem(long).contains("more than"))
      let named = try problem(tar([("x\u{1B}[31mRED\nline", Data(count: 600))]).prefix(700))
      #expect(named.contains(#"truncated within "x\u{1B}[31mRED\nline""#), "\(named)")
    }
  }

  private func write(_ files: [(name: String, content: Data)], to folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, content) in files { try content.write(to: folder.appendingPathComponent(name)) }
  }
}
