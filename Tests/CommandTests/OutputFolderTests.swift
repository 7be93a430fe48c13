import DDNFiles
import Foundation
import Testing

@Suite("Output folders") struct OutputFolderTests {
  private static let job = OutputFolder.Job(command: "draw", options: ["seeds": "0-9"])
  private static let other = OutputFolder.Job(command: "draw", options: ["seeds": "3"])

  private static func open(
    _ url: URL, _ job: OutputFolder.Job = job, _ files: [String] = ["a/1", "b"], overwrites: Bool = false
  ) throws -> OutputFolder {
    try OutputFolder(url, for: job, files: files, overwrites: overwrites)
  }

  private static func write(_ names: [String], in folder: URL) throws {
    for name in names {
      let url = folder.appending(path: name)
      try Folder.create(url.deletingLastPathComponent())
      try Data(name.utf8).write(to: url)
    }
  }

  @Test("a folder is new, or continued by the same job, and refused to others") func rule() throws {
    let url = try Scratch.folder().appending(path: "out")
    #expect(try !Self.open(url).isContinued)
    #expect(try Self.open(url).isContinued)
    // Only the record exists: any job may use the folder.
    #expect(try !Self.open(url, Self.other).isContinued)
    try Self.write(["b"], in: url)
    let error = try #require(throws: FileError.self) { try Self.open(url) }
    #expect(error.kind == .failed && error.problem == "this folder holds the outputs of another ddn draw")
    #expect(try Self.open(url, Self.other).isContinued)
  }

  @Test("overwriting removes the recorded files and the folders that become empty, and nothing else")
  func overwriting()
    throws
  {
    let url = try Scratch.folder()
    _ = try Self.open(url)
    try Self.write(["a/1", "b", "c/mine", "a/.b.1.part"], in: url)
    #expect(throws: FileError.self) { try Self.open(url, Self.other, ["b"]) }
    _ = try Self.open(url, Self.other, ["b"], overwrites: true)
    // A partial file in a folder that the job does not write to must stay.
    // `b` is a file of both jobs: a resumed job must not mistake the first one's for its own.
    #expect(try Folder.names(in: url) == [".ddn-output.json", "a", "c"])
    #expect(try Folder.names(in: url.appending(path: "c")) == ["mine"])
  }

  @Test("a job killed while removing another's files continues removing") func killed() throws {
    let url = try Scratch.folder()
    try Self.write(["old/1", "new", "mine"], in: url)
    let outside = try Scratch.folder()
    try Self.write(["thesis"], in: outside)
    try FileManager.default.createSymbolicLink(at: url.appending(path: "link"), withDestinationURL: outside)
    let beside = url.deletingLastPathComponent().appending(path: "outside")
    try Data().write(to: beside)
    let stale = #"["old/1", "../outside", "/etc/none", "link/thesis"]"#
    try Data(
      #"{"job":{"command":"draw","options":{"seeds":"3"}},"files":["new"],"stale":\#(stale)}"#.utf8
    ).write(to: url.appending(path: ".ddn-output.json"))
    let error = try #require(throws: FileError.self) { try Self.open(url, Self.other, ["new"]) }
    #expect(error.remedy.hasPrefix("give --overwrite"), "nothing is removed without it")
    #expect(try Self.open(url, Self.other, ["new"], overwrites: true).isContinued)
    #expect(try Folder.names(in: url) == [".ddn-output.json", "link", "mine", "new"])
    for file in [beside, outside.appending(path: "thesis")] {
      #expect(FileManager.default.fileExists(atPath: file.path), "a record must not lead outside")
    }
  }
}
