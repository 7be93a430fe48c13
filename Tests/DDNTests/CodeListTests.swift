import DDN
import DDNFiles
import Testing

@Suite("Lists of codes") struct CodeListTests {
  private static let space = CodeSpace([4, 8].map { .init(nodes: $0, side: 32) })

  private static func lines(_ text: String, classes: Int = 0) throws -> [CodeList.Entry] {
    try CodeList(lines: text, path: "codes.txt", in: Self.space, classes: classes).entries
  }

  @Test("written lines are parsed again, with any names and classes") func round() throws {
    for (classes, classIndex) in [(0, nil), (10, 7)] as [(Int, Int?)] {
      let codes = try [[0, 7], [3, 0]].map { try LatentCode($0, in: Self.space) }
      let text = zip(["#1.png", "my own digit.png"], codes).map { CodeList.line(name: $0, $1, classIndex: classIndex) }
        .joined(separator: "\n")
      let read = try Self.lines(text, classes: classes)
      #expect(read.map(\.code) == codes && read.allSatisfy { $0.classIndex == classIndex })
    }
  }

  @Test("names and classes are optional, empty lines and comments are skipped") func shortForms() throws {
    let read = try Self.lines("\n# codes\n1.2\r\nx 3.4\n x 0.5 9 \n", classes: 10)
    #expect(read.map(\.code.description) == ["1.2", "3.4", "0.5"] && read.map(\.classIndex) == [nil, nil, 9])
    let bare = try Self.lines("1.2 7\nx.1 3\n1.2 3.4\n", classes: 10)
    #expect(bare.map(\.code.description) == ["1.2", "3", "3.4"] && bare.map(\.classIndex) == [7, nil, nil])
  }

  @Test(
    "an error names the line's number",
    arguments: [
      ("1.2\n4.0", "codes.txt, line 2", "choice 4 at level 1"), ("a b", "codes.txt, line 1", "\"b\" is not a code"),
      ("x 1.2 10", "codes.txt, line 1", "class \"10\" is not within 0...9"), ("# nothing\n", "codes.txt", "no codes"),
    ])
  func wrongLines(text: String, path: String, problem: String) throws {
    let error = try #require(throws: FileError.self) { try Self.lines(text, classes: 10) }
    #expect(error.path == path && error.problem.contains(problem) && error.kind == .invalid, "\(error)")
  }

  @Test("inline codes may have spaces and classes") func row() throws {
    let read = try CodeList(parsing: "1.2, 3.4:5", in: Self.space, classes: 10).entries
    #expect(read.map(\.code.description) == ["1.2", "3.4"] && read.map(\.classIndex) == [nil, 5])
    for (text, classes) in [("1.2:3", 0), ("1.2:10", 10), ("1.2:3:4", 10), ("1.2:x", 10), ("1.2,", 10)] {
      #expect(throws: LatentCodeError.self) {
        try CodeList(parsing: text, in: Self.space, classes: classes)
      }
    }
  }
}
