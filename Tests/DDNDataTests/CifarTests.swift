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

  /// A batch as Python 2's pickle wrote it, with the calls that NumPy makes of an array.
  private static func pickle(_ labels: [UInt8], function: String = "numpy.core.multiarray\n_reconstruct\n") -> Data {
    let count = labels.count
    var data = Data([0x80, 2]) + Data("}q\u{1}(U\u{b}batch_labelq\u{2}U\u{4}testq\u{3}U\u{6}labelsq\u{4}]q\u{5}(".utf8)
    data += labels.flatMap { [UInt8(ascii: "K"), $0] }
    data += Data("eU\u{4}dataq\u{6}c\(function)q\u{7}cnumpy\nndarray\nq\u{8}K\u{0}".utf8) + [0x85]
    data += Data("U\u{1}b".utf8) + [0x87] + Data("Rq\u{9}(K\u{1}M".utf8) + words(UInt16(count)) + Data("M".utf8)
    data += words(UInt16(Cifar.pixelCount)) + [0x86] + Data("cnumpy\ndtype\nq\nU\u{2}u1K\u{0}K\u{1}".utf8) + [0x87]
    data += Data("Rq\u{b}(K\u{3}U\u{1}|NNNJ".utf8) + words(Int32(-1)) + Data("J".utf8) + words(Int32(-1))
    data += Data("K\u{0}tb".utf8) + [0x89] + Data("T".utf8) + words(UInt32(count * Cifar.pixelCount))
    data += labels.indices.flatMap { planes($0) }
    data += Data("tbU\u{9}filenamesq\u{c}]q\r(U\u{5}a.pngq\u{e}U\u{5}b.pngq\u{f}eu.".utf8)
    return data
  }

  /// A batch as Python 3's `pickle.dumps(batch, 4)` writes it; see there for the order of instructions.
  private static func pickle4(_ labels: [UInt8], type: String = "u1", isFortran: Bool = false) -> Data {
    func text(_ text: String) -> Data { Data([0x8C, UInt8(text.utf8.count)] + text.utf8 + [0x94]) }
    func bytes(_ text: String) -> Data { Data([0x43, UInt8(text.utf8.count)] + text.utf8 + [0x94]) }
    let count = labels.count
    var data = Data("}".utf8) + [0x94] + Data("(".utf8) + bytes("labels") + Data("]".utf8) + [0x94] + Data("(".utf8)
    data += labels.flatMap { [UInt8(ascii: "K"), $0] } + Data("e".utf8) + bytes("data")
    data += text("numpy._core.multiarray") + text("_reconstruct") + [0x93, 0x94]
    data +=
      text("numpy") + text("ndarray") + [0x93, 0x94] + Data("K\u{0}".utf8) + [0x85, 0x94] + bytes("b") + [0x87, 0x94]
    data += Data("R".utf8) + [0x94] + Data("(K\u{1}K".utf8) + [UInt8(count)] + Data("M".utf8)
    // NumPy's module is the eighth thing that was remembered.
    data += words(UInt16(Cifar.pixelCount)) + [0x86, 0x94] + Data("h\u{7}".utf8) + text("dtype") + [0x93, 0x94]
    data += text(type) + [0x89, 0x88, 0x87, 0x94] + Data("R".utf8) + [0x94] + Data("(K\u{3}".utf8) + text("|")
    data += Data("NNNJ".utf8) + words(Int32(-1)) + Data("J".utf8) + words(Int32(-1)) + Data("K\u{0}t".utf8) + [0x94]
    data += Data("b".utf8) + [isFortran ? 0x88 : 0x89] + Data("B".utf8) + words(UInt32(count * Cifar.pixelCount))
    let rows = labels.indices.map { planes($0) }
    if isFortran {
      for column in 0..<Cifar.pixelCount { data += rows.map { $0[column] } }
    } else {
      data += rows.joined()
    }
    data += [0x94] + Data("t".utf8) + [0x94] + Data("bu.".utf8)
    return Data([0x80, 4, 0x95]) + words(UInt64(data.count)) + data
  }

  private static func tar(_ files: [(name: String, content: Data)]) -> Data {
    func header(_ name: String, _ size: Int) -> Data {
      var header = [UInt8](repeating: 0, count: 512)
      func put(_ text: String, at place: Int) {
        header.replaceSubrange(place..<place + text.utf8.count, with: text.utf8)
      }
      put(name, at: 0)
      put("0000644", at: 100)
      let octal = String(size, radix: 8)
      put(String(repeating: "0", count: 11 - octal.count) + octal, at: 124)
      put("        ", at: 148)
      put("0", at: 156)
      put("ustar\u{0}00", at: 257)
      let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
      put(String(repeating: "0", count: 6 - sum.count) + sum + "\u{0}", at: 148)
      return Data(header)
    }
    return files.reduce(Data()) { archive, file in
      archive + header(file.name, file.content.count) + file.content
        + Data(count: (512 - file.content.count % 512) % 512)
    } + Data(count: 1024)
  }

  private static let batches = (1...5).map { "data_batch_\($0)" }

  @Test("The binary and the Python version, packed and unpacked, are the same images and classes")
  func versions() throws {
    try withTemporaryFolder { (folder) throws in
      var places: [URL] = []
      for (name, suffix, batch) in [("bin", ".bin", Self.binary([3, 9])), ("py", "", Self.pickle([3, 9]))] {
        let inner = folder.appendingPathComponent("\(name)/cifar-10-batches-\(name)")
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        for file in Self.batches { try batch.write(to: inner.appendingPathComponent(file + suffix)) }
        let archive = folder.appendingPathComponent("\(name).tar.gz")
        try gzip(
          Self.tar(
            [("cifar-10-batches-\(name)/batches.meta", Data("other".utf8))]
              + Self.batches.map { ("cifar-10-batches-\(name)/\($0)\(suffix)", batch) })
        ).write(to: archive)
        places += [inner, inner.deletingLastPathComponent(), archive]
      }
      for place in places {
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
    let binary = [UInt8(3), 99, 7, 0].enumerated().reduce(Data()) { data, label in
      data + (label.offset % 2 == 0 ? [label.element] : [label.element] + Self.planes(label.offset / 2))
    }
    var pickle = Self.pickle([99, 0])
    let key = try #require(pickle.range(of: Data("U\u{6}labels".utf8)))
    pickle.replaceSubrange(key, with: Data("U\u{b}fine_labels".utf8))
    try withTemporaryFolder { (folder) throws in
      for (version, suffix, batch, mark) in [
        ("binary", ".bin", binary, "fine_label_names.txt"), ("python", "", pickle, "meta"),
      ] {
        let inner = folder.appendingPathComponent("\(version)/cifar-100-\(version)")
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        let files = ["train", "test"].map { ("\($0)\(suffix)", batch) } + [(mark, Data("apple".utf8))]
        for (name, content) in files { try content.write(to: inner.appendingPathComponent(name)) }
        let archive = folder.appendingPathComponent("\(version).tar.gz")
        try gzip(Self.tar(files.map { ("cifar-100-\(version)/\($0)", $1) })).write(to: archive)
        for place in [inner, inner.deletingLastPathComponent(), archive] {
          let images = try openImages(place, split: .test)
          #expect(images.name == "cifar100-test" && images.labels == [99, 0], "\(place)")
          let bitmap = try images.bitmap(1, channels: .asStored)
          #expect((0..<1024).map { bitmap.pixels[3 * $0] } == Array(Self.planes(1)[..<1024]))
        }
      }
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
      ("./pics/cats/1.png", try PNG.encode(picture(1))), ("pics/notes.txt", Data("x".utf8)),
      ("pax", Data(pax.utf8)), ("short.png", try PNG.encode(picture(2))),
    ]
    var bytes = Self.tar(files)
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
        #expect(try images.bitmap(1, channels: .asStored) == picture(2))
        #expect(images.notes.contains { $0.contains("passed over 1 file") })
      }
    }
  }

  @Test("Batches that Python 3 wrote, and arrays in Fortran's order, are the same images", arguments: [false, true])
  func otherWriters(isFortran: Bool) throws {
    let batch = try CifarPickle.read([UInt8](Self.pickle4([3, 9], isFortran: isFortran)), path: "batch")
    #expect(batch.labels == [3, 9])
    #expect(Array(batch.pixels) == Self.planes(0) + Self.planes(1))
  }

  @Test("A batch that is cut off, mislabelled or not there is an error")
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

  @Test("A tar archive that is cut off, changed or of something else is an error")
  func damagedArchive() throws {
    let whole = Self.tar([("a/test_batch.bin", Self.binary([1]))])
    try withTemporaryFolder { (folder) throws in
      let url = folder.appendingPathComponent("a.tar")
      func problem(_ bytes: Data) throws -> String {
        try bytes.write(to: url)
        return try #require(throws: FileError.self) { try openImages(url, split: .test) }.problem
      }
      for length in [513, 1000, 3000, 3584] { #expect(try problem(whole.prefix(length)).contains("cut off")) }
      var changed = whole
      changed[130] ^= 1
      #expect(try problem(changed).contains("checksum is wrong"))
      #expect(try problem(Self.tar([("other", Data(count: 600))])).contains("holds no images; passed over 1 file"))
      #expect(
        try problem(Self.tar([("data_batch_1", Data(count: 6))])).contains("neither test_batch.bin nor test_batch"))
      #expect(
        try problem(Self.tar([("test_batch.bin", Data()), ("x/test_batch.bin", Data())])).contains("twice"))
      let long = Self.tar([("test_batch", Data(count: 65 << 20))])
      #expect(try problem(long).contains("more than"))
      let named = try problem(Self.tar([("x\u{1B}[31mRED\nline", Data(count: 600))]).prefix(700))
      #expect(named.contains(#"cut off within "x\u{1B}[31mRED\nline""#), "\(named)")
    }
  }

  @Test("A pickle that wants to call anything else is refused by name and runs nothing")
  func hostilePickle() throws {
    #expect(try pickleProblem(Self.pickle([1], function: "os\nsystem\n")).contains(#"wants to call "os system""#))
    let call = Data("cposix\nsystem\n(U\u{4}trueq\u{0}tR.".utf8)
    #expect(try pickleProblem(Data([0x80, 2]) + call).contains(#"wants to call "posix system""#))
    #expect(try pickleProblem(Data("i__main__\nA\n.".utf8)).contains("instruction 105"))
    #expect(try pickleProblem(Data([0x80, 2]) + Data("}.".utf8)).contains("no labels and data"))
    #expect(try pickleProblem(Data([0x80, 5])).contains("unknown protocol"))
    #expect(try pickleProblem(Self.pickle4([1], type: "<i4")).contains(#"NumPy's type "<i4""#))
    let escape = try pickleProblem(Self.pickle([1], function: "os\nsys\u{1B}[31mtem\n"))
    #expect(escape.contains(#"wants to call "os sys\u{1B}[31mtem""#), "\(escape)")
    let nested = Data([0x80, 2]) + Data(")".utf8) + Data(repeating: 0x85, count: 1_000_000)
    #expect(try pickleProblem(nested).contains("too many lists and tuples"))
    #expect(try pickleProblem(Data("R".utf8)).contains("empty stack"))
    #expect(try pickleProblem(Data("h\u{1}.".utf8)).contains("did not remember"))
  }

  @Test("A pickle of many values, or of names that are long, is refused before it costs more than its bytes")
  func costlyPickle() throws {
    let start = Data([0x80, 2])
    for many in ["K\u{0}", "N", "Nr\u{0}\u{0}\u{0}\u{0}"] {
      let bytes = start + Data([[UInt8]](repeating: Array(many.utf8), count: 600_000).joined())
      #expect(try pickleProblem(bytes).contains("more than 500000 instructions"))
    }
    let long = String(repeating: "x", count: 3_000_000)
    for bytes in [
      start + Data("c\(long)\nsystem\n.".utf8),
      start + Data("}X".utf8) + words(UInt32(long.utf8.count)) + Data("\(long)Ns.".utf8),
      start + Data("cnumpy\ndtype\n(X".utf8) + words(UInt32(long.utf8.count)) + Data("\(long)tR.".utf8),
    ] {
      let problem = try pickleProblem(bytes)
      #expect(problem.contains("200 bytes") && problem.utf8.count < 300, "\(problem.prefix(300))")
    }
  }

  @Test("An array whose size is no two numbers, and a label that is none, are refused")
  func wrongSizes() throws {
    let whole = Self.pickle([1])
    let size = Data("(K\u{1}M".utf8) + words(UInt16(1))
    let place = try #require(whole.range(of: size)).upperBound - 3
    var none = whole
    none.replaceSubrange(place..<place + 3, with: Data("N".utf8))
    #expect(try pickleProblem(none).contains("not a number of rows"))
    var label = whole
    let labels = try #require(whole.range(of: Data("(K\u{1}eU".utf8)))
    label.replaceSubrange(labels, with: Data("(NeU".utf8))
    #expect(try pickleProblem(label).contains("a label that is no number"))
  }

  @Test("A pickle that is cut off or has a flipped bit anywhere outside the pixels crashes nothing")
  func damagedPickle() throws {
    let whole = Self.pickle([1])
    #expect(try CifarPickle.read([UInt8](whole), path: "batch").labels == [1])
    for length in 0..<whole.count where length < 200 || length > whole.count - 60 {
      #expect(throws: FileError.self) { try CifarPickle.read([UInt8](whole.prefix(length)), path: "batch") }
    }
    for position in 0..<whole.count where position < 200 || position > whole.count - 60 {
      for bit in 0..<8 {
        var flipped = [UInt8](whole)
        flipped[position] ^= 1 << bit
        _ = try? CifarPickle.read(flipped, path: "batch")
      }
    }
  }

  private func pickleProblem(_ bytes: Data) throws -> String {
    try #require(throws: FileError.self) { _ = try CifarPickle.read([UInt8](bytes), path: "batch") }.problem
  }
}
