import Foundation
import Testing

extension CommandTests {
  @Suite("ddn serve") struct ServeTests {
    @Test(
      "what cannot be served is told in one line, before anything listens",
      arguments: [
        (["--network", "nothing"], 66, "nothing: no such model"), (["--run", "nothing"], 66, "no such run folder"),
        (["--network", "mnist", "--network", "mnist"], 64, "two models with the name mnist"),
        (["--clip", "nothing"], 66, "nothing"), (["--vocabulary", "x"], 64, "--vocabulary is for --clip"),
        (["--port", "70000"], 64, "70000 is not within 0...65535"), (["--rate", "-1"], 64, "-1 is not"),
        (["--host", "256.256.256.256", "--network", "mnist-k8-l3"], 1, "cannot listen"),
      ] as [([String], Int32, String)])
    func unusable(arguments: [String], code: Int32, part: String) async throws {
      let result = try await Command.run(["serve", "--port", "0"] + arguments)
      #expect(result.isFailure(code, part), "\(result)")
      #expect(result.output.isEmpty)
    }

    @Test("it prints where it listens, serves, and ends well when it is interrupted", arguments: ["INT", "TERM"])
    func served(signal: String) async throws {
      let script = """
        "$@" > address & server=$!
        for _ in $(seq 300); do [[ -s address ]] && break; sleep 0.1; done
        exec 3<>"/dev/tcp/127.0.0.1/$(sed 's/.*://' address)"
        printf 'GET /api/models HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3
        cat <&3
        kill -\(signal) "$server"
        wait "$server"
        """
      let folder = try Scratch.folder()
      let result = try await Command.run(
        ["serve", "--port", "0", "--network", "mnist-k8-l3"], shell: script, in: folder)
      #expect(result.exitCode == 0 && result.errors.isEmpty, "\(result)")
      #expect(result.output.hasPrefix("HTTP/1.1 200 OK") && result.output.contains(#""name":"mnist-k8-l3""#))
      let address = try String(contentsOf: folder.appending(path: "address"), encoding: .utf8)
      #expect(address.wholeMatch(of: /http:\/\/127\.0\.0\.1:\d+\n/) != nil)
    }
  }
}
