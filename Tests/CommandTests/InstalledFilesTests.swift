import Foundation
import Testing

extension CommandTests {
  @Suite("Manual pages and completions") struct InstalledFilesTests {
    private static let scripts = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "scripts")

    /// What `make install` copies, made once.
    private static let share = Task {
      let folder = try Scratch.folder()
      let script = scripts.appending(path: "share").path
      let result = try await Command.run([folder.path], shell: "'\(script)' '\(Command.program.path)' \"$2\"")
      try #require(result.exitCode == 0, "\(result.errors)")
      return folder.appending(path: "share")
    }

    @Test("every command has a page that names its options, and the page above lists it")
    func pages() async throws {
      let pages = try await Self.share.value.appending(path: "man/man1")
      for (command, options) in CommandErrorTests.HelpTests.options {
        let words = ["ddn"] + command.split(separator: " ").map(String.init)
        let page = try String(contentsOf: pages.appending(path: "\(words.joined(separator: "-")).1"), encoding: .utf8)
        for option in options.flatMap({ $0.components(separatedBy: ", ") }) where option != "--help" {
          // "--batch" is "Fl -batch" in mdoc.
          #expect(page.contains("Fl \(option.dropFirst())"), "\(option) is missing in the page of \(words)")
        }
        let above = words.dropLast().joined(separator: "-")
        let list = try String(contentsOf: pages.appending(path: "\(above).1"), encoding: .utf8)
        #expect(list.contains(".It Xr \\&\(words.joined(separator: "-")) 1\n"))
      }
    }

    @Test("examples keep their lines, and no page begins a line of text with a macro's dot")
    func examples() async throws {
      let pages = try await Self.share.value.appending(path: "man/man1")
      let page = try String(contentsOf: pages.appending(path: "ddn-dataset-convert.1"), encoding: .utf8)
      #expect(
        page.contains(
          "\n.Bd -literal -offset indent\nddn dataset convert photos photos64.zip --resolution 64x64 --transform center-crop\n"
        ))
      let macro = /\.(Dd|Dt|Os|Sh|Ss|Nm|Nd|Op|Fl|Ar|Bl|El|It|Pp|Bd|Ed|Xr|br|\\").*/
      for url in try FileManager.default.contentsOfDirectory(at: pages, includingPropertiesForKeys: nil) {
        let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix(".") }.allSatisfy { $0.wholeMatch(of: macro) != nil }, "\(url.path)")
      }
    }

    @Test("man prints the page of a command without a warning", .enabled(if: Self.has("man"), "man is not installed"))
    func man() async throws {
      let page = try await Self.share.value.appending(path: "man/man1/ddn-train.1").path
      let result = try await Command.run([], shell: "MANWIDTH=100 man --warnings -P cat -l '\(page)'")
      #expect(result.exitCode == 0 && result.errors.isEmpty, "\(result.errors)")
      #expect(result.output.contains("--nodes"))
    }

    @Test("bash offers the commands that begin with the letters typed") func bash() async throws {
      let file = try await Self.share.value.appending(path: "bash-completion/completions/ddn").path
      let result = try await Command.run(
        [],
        shell: """
          set -e; PATH=$(dirname "$1"):$PATH; source '\(file)'
          COMP_WORDS=(ddn tr) COMP_CWORD=1 COMP_LINE='ddn tr' COMP_POINT=6
          _ddn ddn tr ddn; printf '%s\\n' "${COMPREPLY[@]}"
          """)
      #expect(result.output == "train\ntree\n", "\(result.errors)")
    }

    @Test("zsh and fish accept their completions", arguments: ["zsh", "fish"]) func shells(shell: String) async throws {
      let files = ["zsh": "zsh/site-functions/_ddn", "fish": "fish/vendor_completions.d/ddn.fish"]
      let file = try await Self.share.value.appending(path: files[shell]!)
      let start = try String(contentsOf: file, encoding: .utf8).prefix(2000)
      #expect(start.contains(shell == "zsh" ? "#compdef ddn" : "ddn"))
      guard Self.has(shell) else { return print("\(shell) is not installed: its completions are not parsed") }
      let result = try await Command.run([], shell: "\(shell) -n '\(file.path)'")
      #expect(result.exitCode == 0 && result.errors.isEmpty, "\(result.errors)")
    }

    private static func has(_ program: String) -> Bool {
      ["/usr/bin", "/bin", "/usr/local/bin"].contains {
        FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
      }
    }
  }
}
