import DDNFiles
import Foundation
import Images
import Testing
import Torch

@testable import DDNGuidance

@Suite("Guides as they are typed")
struct GuideArgumentsTests {
  private static let gray = GuideKind.Setting(imageShape: [1, 32, 32], device: .cpu)

  @Test("a value may have commas; options follow a comma and have a name") func values() throws {
    var arguments = try GuideArguments("clip:a man, a hat = odd,weight=0.5,mask=/tmp/a=b.png")
    #expect(arguments.name == "clip")
    #expect(arguments.value() == "a man, a hat = odd")
    #expect(arguments.option("weight") == "0.5")
    #expect(arguments.option("mask") == "/tmp/a=b.png")
    #expect(arguments.value() == nil)
    var none = try GuideArguments("l2")
    #expect(none.value() == nil && none.name == "l2")
    var first = try GuideArguments("l2:weight=2")
    #expect(first.value() == nil && first.option("weight") == "2")
  }

  @Test(
    "what is wrong is said in one line",
    arguments: [
      ("sr", "needs a factor"), ("sr:0.5", "neither a factor"), ("sr:nan", "neither a factor"),
      ("sr:64x64", "not within"),
      ("sr:4,weight=0", "weight="), ("sr:4,weight=1,weight=2", "twice"), ("sr:4,from=3,until=2", "after"),
      ("sr:4,until=99", "until="), ("sr:4,colour=1", "no option colour="), ("l2:7", "takes no value"),
      ("gray", "images are gray"), ("mask", "needs a mask"), ("mask:11", "neither a file"), ("pixels", "needs"),
      ("pixels:2", "fraction"), ("blur:1000", "deviation"), ("motion:1e9", "length"), ("lowbit:0", "steps"),
      ("noise:-1", "deviation"), ("unknown:3", "there is no guide"), ("", "there is no guide"),
      ("l2,mask=99", "neither a file"),
    ])
  func wrong(text: String, problem: String) throws {
    let error = #expect(throws: GuideError.self) { try MixedGuide([text], for: Self.gray, levels: 10) }
    let line = try #require(error).description
    #expect(line.contains(problem) && line.hasPrefix("--guide \(text)") && !line.contains("\n"), "\(line)")
  }

  @Test("pictures that cannot be used are errors that name the file") func pictures() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func file(_ name: String, width: Int, height: Int, shade: UInt8) throws -> String {
      let url = folder.appending(path: name)
      try Bitmap(width: width, height: height, channels: 1, shade: shade).write(to: url)
      return url.path
    }
    try Data("not a picture".utf8).write(to: folder.appending(path: "text.png"))
    for (text, problem) in [
      ("mask:\(try file("wide.png", width: 40, height: 30, shade: 255))", "does not fit square"),
      ("mask:\(try file("black.png", width: 32, height: 32, shade: 0))", "black"),
      ("kernel:\(try file("even.png", width: 4, height: 4, shade: 9))", "centred"),
      ("kernel:\(try file("dark.png", width: 5, height: 5, shade: 0))", "black"),
      ("strokes:\(try file("opaque.png", width: 32, height: 32, shade: 9))", "no transparency"),
      ("sketch:\(try file("blank.png", width: 32, height: 32, shade: 255))", "no strokes"),
      ("mask:\(folder.path)/text.png", "not a readable image"), ("sketch:\(folder.path)/none.png", "no such file"),
      ("l2,image=\(folder.path)/none.png", "no such file"),
    ] {
      let error = #expect(throws: FileError.self) { try MixedGuide([text], for: Self.gray, levels: 10) }
      let line = try #require(error).description
      #expect(line.contains(problem) && line.contains(folder.path), "\(line)")
    }
  }

  @Test("every kind's example names it, and every value and option is described") func descriptions() {
    #expect(Set(GuideKind.all.map(\.name)).count == GuideKind.all.count)
    for kind in GuideKind.all {
      #expect(kind.example == kind.name || kind.example.hasPrefix(kind.name + ":"), "\(kind.name)")
      #expect(
        (kind.value == nil) == (kind.example == kind.name) || kind.value?.contains("default") == true, "\(kind.name)")
      for option in kind.options {
        #expect(!MixedGuide.optionNames.contains(option.name))
      }
    }
  }
}
