import Archives
import ArchivesSupport
import DDNFiles
import Foundation
import Images
import Testing

@testable import DDNData

@Suite("ImageFiles")
struct ImageFilesTests {
  @Test("a folder and a zip file give the same images, sorted by name, and skip other files")
  func order() throws {
    var files = try SmallFiles()
    for (number, name) in ["b/2.png", "a/9.PNG", "a/10.png", "b/.hidden.png", "__MACOSX/b/2.png"].enumerated() {
      try files.add(name, testImage(number))
    }
    files.files.append(("README.txt", Data("no image".utf8)))
    for images in try files.opened() {
      #expect(images.names == ["a/10.png", "a/9.PNG", "b/2.png"])
      #expect(try images.bitmap(0, channels: .asStored) == testImage(2))
      #expect(try images.bitmap(2, channels: .rgb).channels == 3)
    }
  }

  @Test("two or more folders that hold every image are classes")
  func classFolders() throws {
    var files = try SmallFiles()
    for name in ["dog/1.png", "cat/1.png", "dog/deeper/2.png"] { try files.add(name, testImage(0)) }
    for images in try files.opened() {
      #expect(images.labels == [0, 1, 1])
      #expect(images.classNames == ["cat", "dog"])
    }
    try files.add("outside.png", testImage(0))
    for images in try files.opened() { #expect(images.labels == nil && images.classNames == nil) }
    #expect(try SmallFiles(2).opened().allSatisfy { $0.labels == nil })
  }

  @Test("numeric folder names are sorted as numbers")
  func numberedClasses() throws {
    var files = try SmallFiles()
    for name in ["10/a.png", "2/a.png", "1/a.png"] { try files.add(name, testImage(0)) }
    for images in try files.opened() { #expect(images.classNames == ["1", "2", "10"] && images.labels == [0, 2, 1]) }
  }

  @Test("classes and labels are found below a common folder, and @eaDir is skipped")
  func commonFolder() throws {
    var files = try SmallFiles()
    for name in ["pics/all/cat/1.png", "pics/all/dog/1.png", "@eaDir/x/1.png"] { try files.add(name, testImage(0)) }
    files.files.append(("README.txt", Data()))
    for images in try files.opened() { #expect(images.classNames == ["cat", "dog"] && images.labels == [0, 1]) }
    files.files.append(("pics/all/dataset.json", Data(#"{"labels": [["cat/1.png", 4], ["dog/1.png", 2]]}"#.utf8)))
    for images in try files.opened() { #expect(images.labels == [4, 2] && images.notes.count == 2) }
  }

  @Test("notes warn of splits used as classes and of classes without images")
  func notes() throws {
    var files = try SmallFiles()
    for name in ["train/1.png", "val/1.png"] { try files.add(name, testImage(0)) }
    for images in try files.opened() {
      #expect(images.notes.contains { $0.contains("train, val are used as classes") })
    }
    let gap = try SmallFiles(2, labels: #"{"labels": [["img0.png", 1], ["img1.png", 2]]}"#)
    for images in try gap.opened() { #expect(images.notes == ["class 0 has no images"]) }
  }

  @Test("links are followed once, and unusable entries are listed")
  func walk() throws {
    try withTemporaryFolder { parent in
      let folder = parent.appendingPathComponent("data")
      for name in ["cat", "dog"] { try Folder.create(folder.appendingPathComponent(name)) }
      try testImage(0).write(to: folder.appendingPathComponent("cat/a.png"))
      try testImage(0).write(to: parent.appendingPathComponent("b.png"))
      let files = FileManager.default
      try files.createSymbolicLink(atPath: folder.path + "/dog/b.png", withDestinationPath: "../../b.png")
      try files.createSymbolicLink(atPath: folder.path + "/dog/gone.png", withDestinationPath: "nowhere")
      try files.createSymbolicLink(atPath: folder.path + "/dog/loop", withDestinationPath: "..")
      #expect(mkfifo(folder.path + "/dog/pipe.png", 0o600) == 0)
      let bytes: [CChar] = (folder.path + "/dog/x").utf8.map { CChar($0) } + [CChar(bitPattern: 0xe9), 0]
      let file = fopen(bytes, "w")
      #expect(file != nil)
      fclose(file!)
      let link = parent.appendingPathComponent("link")
      try files.createSymbolicLink(at: link, withDestinationURL: folder)
      for url in [folder, link] {
        let images = try openImages(url)
        #expect((images as? ImageFiles)?.names == ["cat/a.png", "dog/b.png"] && images.labels == [0, 1])
        #expect(images.unusable.count == 4)
        for word in ["broken link", "already read", "not a regular file", "not UTF-8"] {
          #expect(images.unusable.contains { $0.problem.contains(word) }, "\(word)")
        }
        #expect(throws: FileError.self) { try ImageDataset(images) }
      }
    }
  }

  @Test("images are recognized by extension, and skipped files are counted")
  func extensions() throws {
    var files = try SmallFiles()
    for name in ["a.JFIF", "b.bmp", "c.avif"] { try files.add(name, testImage(0)) }
    for name in ["x.txt", "y.txt", "z"] { files.files.append((name, Data())) }
    for images in try files.opened() {
      #expect(images.count == 3)
      #expect(images.notes == ["skipped 3 files that are not images: .txt 2, no extension 1"])
    }
  }

  @Test("archives from Windows with backslashes and code page 437 are read")
  func windows() throws {
    let files = try SmallFiles(1)
    try withTemporaryFolder { folder in
      var entries = ["cat\\1.png", "dog\\1.png"].map { ZipBytes.Entry($0, files.files[0].content) }
      entries[1].name = Array("dog\\".utf8) + [0x81] + Array(".png".utf8)
      let url = folder.appendingPathComponent("a.zip")
      try ZipBytes(entries).data.write(to: url)
      let images = try ImageFiles(archive: url)
      #expect(images.names == ["cat/1.png", "dog/\u{FC}.png"] && images.classNames == ["cat", "dog"])
      #expect(try images.bitmap(1, channels: .asStored) == testImage(0))
    }
  }

  @Test("dataset.json has class names and preprocessing steps; errors have a position")
  func namesAndErrors() throws {
    let named = try SmallFiles(
      2, labels: #"{"labels": [["img0.png", 1], ["img1.png", 0]], "class_names": ["a\"", "b"], "preparation": ["x"]}"#)
    for images in try named.opened() {
      #expect(images.classNames == ["a\"", "b"] && images.preparation == ["x"])
      let names = (0..<2).map { images.name(of: $0) }
      let data = ImageLabels(labels: images.labels, classNames: images.classNames, preparation: ["x"]).data(
        names: names)
      let again = try ImageLabels.read(data, path: "x", names: names)
      #expect(again.labels == [1, 0] && again.classNames == images.classNames && again.preparation == ["x"])
    }
    let few = try SmallFiles(1, labels: #"{"labels": [["img0.png", 1]], "class_names": ["a"]}"#)
    #expect(try #require(try few.failure()).problem.contains("has 1 \"class_names\""))
    let comma = try SmallFiles(1, labels: "{\"labels\": [\n[\"img0.png\", 1]\n[\"img1.png\", 1]]}")
    let syntax = try #require(try comma.failure())
    #expect(syntax.problem.contains("line 3"), "\(syntax)")
    let type = try SmallFiles(1, labels: #"{"labels": [["img0.png", 1], [3, 1]]}"#)
    let wrong = try #require(try type.failure())
    #expect(wrong.problem.contains("at labels[1]"), "\(wrong)")
    let many = Data((#"{"labels": ["# + String(repeating: #"["", 1],"#, count: 200_000) + "]}").utf8)
    let error = #expect(throws: FileError.self) { try ImageLabels.read(many, path: "x", names: ["a.png"]) }
    #expect(error?.problem.contains("bytes for 1 images, above the limit") == true, "\(String(describing: error))")
  }

  @Test("dataset.json has the classes, or null for none")
  func labels() throws {
    let some = try SmallFiles(2, labels: #"{"labels": [["img1.png", 3], ["img0.png", 0]], "more": {}}"#)
    for images in try some.opened() { #expect(images.labels == [0, 3]) }
    var none = try SmallFiles(0, labels: #"{"labels": null}"#)
    for name in ["a/1.png", "b/1.png"] { try none.add(name, testImage(0)) }
    for images in try none.opened() { #expect(images.labels == nil) }
  }

  @Test(
    "labels that do not match the images are refused with a specific message",
    arguments: [
      (#"{"labels": [["img0.png", 1]]}"#, "no label for 1 of 2 images, such as \"img1.png\""),
      (#"{"labels": []}"#, "no label for 2 of 2 images"),
      (#"{"labels": [["img0.png", 1], ["img1.png", 1], ["img2.png", 1]]}"#, "labels \"img2.png\""),
      (#"{"labels": [["img0.png", 1], ["img0.png", 1], ["img1.png", 1]]}"#, "labels \"img0.png\" twice"),
      (#"{"labels": [["img0.png", -1], ["img1.png", 1]]}"#, "the class -1"),
      (#"{"labels": [["img0.png", 1000000], ["img1.png", 1]]}"#, "the class 1000000"),
      (#"{"labels": [["img0.png", 1e300], ["img1.png", 1]]}"#, "the class 1e+300"),
      (#"{"labels": [["img0.png", 1.5], ["img1.png", 1]]}"#, "not a whole number"),
      (#"{"labels": [["img0.png", [0.1, 0.9]], ["img1.png", [1, 0]]]}"#, "vectors are not supported"),
      (#"{"labels": [["img0.png", "cat"], ["img1.png", "dog"]]}"#, "not a whole number"),
      (#"{"labels": [["img0.png"], ["img1.png", 1]]}"#, "not a whole number"),
      (#"{"labels": {"img0.png": 1}}"#, "not JSON with a list"), (#"{}"#, "not JSON with a list"),
      (#"{"labels": [["img0.png", 1], "#, "not JSON with a list"), ("", "not JSON with a list"),
    ])
  func wrongLabels(json: String, words: String) throws {
    let failure = try #require(try SmallFiles(2, labels: json).failure())
    #expect(failure.kind == .invalid && failure.path.hasSuffix("/dataset.json"))
    #expect(failure.description.contains(words), "\(failure)")
  }

  @Test("images or class folders whose names differ only in Unicode normalization are refused")
  func spellings() throws {
    let spellings = ["\u{E9}", "e\u{301}"]
    func problem(_ files: [(name: String, content: Data)]) throws -> FileError {
      var error: FileError?
      try withTemporaryFolder { folder in
        for (name, content) in files {
          let url = folder.appendingPathComponent(name)
          try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
          try content.write(to: url)
        }
        error = #expect(throws: FileError.self) { _ = try ImageFiles(folder: folder) }
      }
      return try #require(error)
    }
    var images = try SmallFiles()
    for name in spellings { try images.add("\(name).png", testImage(0)) }
    let pairs = spellings.map { #"["\#($0).png", 1]"# }.joined(separator: ", ")
    images.files.append(("dataset.json", Data(#"{"labels": [\#(pairs)]}"#.utf8)))
    let twins = try problem(images.files)
    #expect(twins.problem.contains("two images named") && twins.remedy == "rename one of them")

    var classes = try SmallFiles()
    for name in spellings + ["other"] { try classes.add("\(name)/1.png", testImage(0)) }
    #expect(try problem(classes.files).problem.contains("two folders named"))
    // In an archive, the whole names must differ, too.
    classes.files[1].name = "e\u{301}/2.png"
    let archive = try #require(try classes.failure())
    #expect(archive.problem.contains("two folders named"), "\(archive)")
  }

  @Test("a dataset.json below the top folder is an error")
  func deeperLabels() throws {
    var files = try SmallFiles()
    try files.add("faces/a.png", testImage(0))
    try files.add("other/a.png", testImage(0))
    files.files.append(("faces/dataset.json", Data(#"{"labels": null}"#.utf8)))
    #expect(try #require(try files.failure()).problem.contains("not in the top folder"))
  }

  @Test("archives and folders without images, missing and other files are errors")
  func nothing() throws {
    #expect(try #require(try SmallFiles().failure()).problem == "holds no images")
    try withTemporaryFolder { (folder) throws in
      let empty = try #require(throws: FileError.self) { try openImages(folder) }
      #expect(empty.kind == .missing && empty.problem.contains("no images"))
      let none = try #require(throws: FileError.self) { try openImages(folder.appendingPathComponent("none")) }
      #expect(none.kind == .missing)
      for bytes in [Data(), Data("a text".utf8), Data([0x1f, 0x8b, 8]), gzip(Data("a text".utf8)), Data(count: 600)] {
        let file = folder.appendingPathComponent("file")
        try bytes.write(to: file)
        #expect(try #require(throws: FileError.self) { try openImages(file) }.kind == .invalid)
      }
    }
  }

  @Test("errors of damaged, empty and huge images name the file")
  func damaged() throws {
    var files = try SmallFiles(1)
    let png = files.files[0].content
    files.files.append(("cut.png", png.prefix(40)))
    files.files.append(("empty.png", Data()))
    files.files.append(("huge.png", hugePNG()))
    files.files.append(("text.jpg", Data("no image".utf8)))
    for images in try files.opened() {
      for index in [0, 1, 2, 4] {
        let error = try #require(throws: FileError.self) { try images.bitmap(index, channels: .asStored) }
        #expect(error.kind == .invalid && error.path.hasSuffix("/" + images.names[index]))
      }
      #expect(try images.bitmap(3, channels: .asStored) == testImage(0))
    }
  }

  @Test("MNIST's images and labels are found by their folder and by the images file")
  func digits() throws {
    try withTemporaryFolder { (folder) throws in
      let images = folder.appendingPathComponent("train-images-idx3-ubyte.gz")
      try gzip(idx(0x803, [2, 32, 32], [UInt8](repeating: 7, count: 2048))).write(to: images)
      try idx(0x801, [2], [3, 9]).write(to: folder.appendingPathComponent("train-labels-idx1-ubyte"))
      for url in [folder, images] {
        let digits = try openImages(url)
        #expect(digits.labels == [3, 9])
        #expect(try digits.bitmap(1, channels: .asStored) == Bitmap(width: 32, height: 32, channels: 1, shade: 7))
      }
      let other = folder.appendingPathComponent("pictures")
      try FileManager.default.copyItem(at: images, to: other)
      #expect(try #require(throws: FileError.self) { try openImages(other) }.problem.contains("not named like"))
    }
  }
}

/// A small PNG file that declares 30,000 x 30,000 pixels.
func hugePNG() -> Data {
  func chunk(_ name: String, _ content: Data) -> Data {
    let body = Data(name.utf8) + content
    func bigEndian(_ number: UInt32) -> Data { withUnsafeBytes(of: number.bigEndian) { Data($0) } }
    return bigEndian(UInt32(content.count)) + body + bigEndian(Checksum.crc32(body))
  }
  return Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    + chunk("IHDR", Data([0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 8, 0, 0, 0, 0])) + chunk("IDAT", Data(count: 20))
    + chunk("IEND", Data())
}
