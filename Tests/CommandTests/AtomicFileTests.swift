import DDNFiles
import Foundation
import Testing

@Suite("Atomic files") struct AtomicFileTests {
  private static let bytes = Data("new".utf8)

  @Test("a link's destination is replaced, also one that is not there yet") func links() throws {
    let folder = try Scratch.folder()
    let (link, file) = (folder.appending(path: "link"), folder.appending(path: "file"))
    try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "file")
    for _ in 0..<2 {
      try AtomicFile.write(Self.bytes, to: link)
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == "file")
      #expect(try Data(contentsOf: file) == Self.bytes)
      try Data("old".utf8).write(to: file)
    }
    try AtomicFile.write([(link, Self.bytes)])
    #expect(try Data(contentsOf: file) == Self.bytes)
    // Absolute, and relative to another folder.
    try Folder.create(folder.appending(path: "a/b"))
    for (name, target) in [("absolute", folder.path + "/a/x"), ("a/b/relative", "../y")] {
      let link = folder.appending(path: name)
      try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: target)
      try AtomicFile.write(Self.bytes, to: link)
    }
    #expect(try Folder.names(in: folder.appending(path: "a")) == ["b", "x", "y"])
    let loop = folder.appending(path: "loop")
    try FileManager.default.createSymbolicLink(atPath: loop.path, withDestinationPath: "loop")
    #expect(throws: FileError.self) { try AtomicFile.write(Self.bytes, to: loop) }
  }

  @Test("a pipe is refused and stays") func pipes() throws {
    let pipe = try Scratch.folder().appending(path: "pipe")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    let error = try #require(throws: FileError.self) { try AtomicFile.write(Self.bytes, to: pipe) }
    #expect(error.problem == "is a device or a pipe, not a file")
    #expect(throws: FileError.self) { try AtomicFile.prepare(pipe, overwrites: true) }
    var status = stat()
    #expect(stat(pipe.path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
  }

  @Test("a file that another program makes during the work is kept, and the result lies beside it")
  func races() throws {
    let folder = try Scratch.folder()
    let file = folder.appending(path: "out.ddn")
    try AtomicFile.prepare(file, overwrites: false)
    try Data("precious".utf8).write(to: file)
    let error = try #require(throws: FileError.self) { try AtomicFile.write(Self.bytes, to: file) }
    #expect(error.problem.hasPrefix("was made by another program") && error.remedy.hasSuffix("out.ddn.new"))
    #expect(try Data(contentsOf: file) == Data("precious".utf8))
    #expect(try Data(contentsOf: folder.appending(path: "out.ddn.new")) == Self.bytes)
    // Again, with the first result still there.
    try FileManager.default.removeItem(at: file)
    try AtomicFile.prepare(file, overwrites: false)
    try Data("precious".utf8).write(to: file)
    #expect(throws: FileError.self) { try AtomicFile.write(Data("third".utf8), to: file) }
    #expect(try Data(contentsOf: folder.appending(path: "out.ddn.new2")) == Data("third".utf8))
    // Without another program the file is written, and written again.
    let own = folder.appending(path: "own")
    try AtomicFile.prepare(own, overwrites: false)
    for text in ["1", "2"] { try AtomicFile.write(Data(text.utf8), to: own) }
    #expect(try Data(contentsOf: own) == Data("2".utf8))
  }

  @Test("temporary files of processes that are gone are removed, those of running ones stay") func leftovers() throws {
    let folder = try Scratch.folder()
    let ended = Process()
    ended.executableURL = URL(filePath: "/bin/true")
    try ended.run()
    ended.waitUntilExit()
    let names = [
      ".out.\(ended.processIdentifier).0.part", ".out.\(getppid()).0.part", ".other.\(ended.processIdentifier).0.part",
    ]
    let new = ".out.\(ended.processIdentifier).1.part"
    for name in names + [new] {
      try Data().write(to: folder.appending(path: name))
      let date = Date(timeIntervalSinceNow: name == new ? 0 : -100_000)
      try FileManager.default.setAttributes(
        [.modificationDate: date], ofItemAtPath: folder.appending(path: name).path)
    }
    try AtomicFile.prepare(folder.appending(path: "out"), overwrites: false)
    #expect(try Folder.names(in: folder) == (names.dropFirst() + [new]).sorted())
  }

  @Test("a pipe is read to its end, devices and links to nothing are named") func inputs() throws {
    let folder = try Scratch.folder()
    let pipe = folder.appending(path: "pipe")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    let writer = Process()
    writer.executableURL = URL(filePath: "/bin/sh")
    writer.arguments = ["-c", "printf codes > \(pipe.path)"]
    try writer.run()
    #expect(try InputFile.map(pipe) == Data("codes".utf8))
    writer.waitUntilExit()
    let nowhere = folder.appending(path: "nowhere")
    try FileManager.default.createSymbolicLink(atPath: nowhere.path, withDestinationPath: "gone")
    for (path, kind, problem) in [
      ("/dev/zero", FileError.Kind.invalid, "this is a device, not a file"),
      (nowhere.path, .missing, "is a link to nothing or to itself"), (folder.path, .invalid, "this is a folder"),
      (folder.path + "/none", .missing, "no such file"),
    ] {
      let error = try #require(throws: FileError.self) { try InputFile.map(URL(filePath: path)) }
      #expect(error.kind == kind && error.problem.hasPrefix(problem), "\(error)")
    }
  }
}
