import DDN
import DDNFiles
import Foundation
import Testing

@testable import DDNTrees

@Suite("Files of many codes") struct CodeLinesTests {
  private static let space = CodeSpace(nodes: 8, levels: 3, side: 4)

  private static func read(_ text: String, in space: CodeSpace = space, classes: Int = 0) throws -> CodeLines {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("ddn-codes-\(UUID().uuidString).txt")
    try Data(text.utf8).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    return try CodeLines(contentsOf: url, in: space, classes: classes)
  }

  @Test("codes, names and classes are those of CodeList") func sameAsList() throws {
    let text = "# codes\n\na b.png 3.0.7\r\n\t0.0.1\nc 7.7.7"
    let file = try Self.read(text)
    let list = try CodeList(lines: text, path: "", in: Self.space, classes: 0)
    #expect((0..<file.codes.count).map { file.codes.entry($0) } == list.entries)
    #expect((0..<3).map { file.names[$0] } == ["a b.png", "1", "c"])

    let classes = "x y 3.0.7 4\nz 3.0.6 0\n3.0.5 1\n"
    let withClasses = try Self.read(classes, classes: 5)
    #expect(
      try (0..<3).map { withClasses.codes.entry($0) }
        == CodeList(lines: classes, path: "", in: Self.space, classes: 5).entries)
    #expect((0..<3).map { withClasses.names[$0] } == ["x y", "z", "2"])
  }

  @Test("levels may have more than 256 nodes") func manyNodes() throws {
    let space = CodeSpace([.init(nodes: 300, side: 2), .init(nodes: 4, side: 4)])
    let file = try Self.read("a 299.3\n", in: space)
    #expect(file.codes.entry(0).code.choices == [299, 3])
    #expect(throws: FileError.self) { try Self.read("a 299-3\n", in: space) }
  }

  @Test(
    "a line that does not fit is named with the reason",
    arguments: [
      ("3.0", "2 choices"), ("3.0.8", "choice 8"), ("3.0.7.1", "4 choices"), ("3.x.7", "not a code"),
      ("3..7", "not a code"), ("3.0.7777777777777777777777777", "not a code"), ("3.0.7.", "not a code"),
      ("3.0.99999999999", "choice 99999999999"), ("", "no codes"), ("# 3.0.7", "no codes"),
    ])
  func bad(line: String, problem: String) throws {
    let error = #expect(throws: FileError.self) {
      try Self.read((line.isEmpty || line.hasPrefix("#") ? "" : "3.0.7\n") + line)
    }
    #expect(error?.kind == .invalid && error?.description.contains(problem) == true, "\(String(describing: error))")
    if !problem.hasPrefix("no codes") { #expect(error?.path.hasSuffix("line 2") == true) }
  }

  @Test("with classes, a code needs a class in range", arguments: ["a 3.0.7", "a 3.0.7 5", "a 3.0.7 -1", "a 3.0.7 x"])
  func badClass(line: String) throws {
    let error = #expect(throws: FileError.self) { try Self.read(line, classes: 5) }
    #expect(error?.kind == .invalid)
  }
}
