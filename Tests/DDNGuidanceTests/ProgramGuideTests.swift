import DDN
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNGuidance

private let setting = GuideKind.Setting(imageShape: [1, 4, 4], device: .cpu)

private func prepared(_ command: String) throws -> any PreparedGuide {
  try GuideKind.program.prepare(GuideArguments("program:" + command), for: setting)
}

/// `[samples, nodes, 1, side, side]`
private func images(samples: Int = 2, nodes: Int = 4, side: Int = 4, seed: UInt64 = 0) throws -> Tensor {
  try Tensor.uniform([samples, nodes, 1, side, side], generator: Generator(seed: seed)) * 2 - 1
}

private func batch(seeds: [UInt64] = [1, 2], targets: Tensor? = nil) -> GuideBatch {
  GuideBatch(targets: targets, targetNumbers: Array(seeds.indices), seeds: seeds)
}

/// Scores 8 candidates with a command.
private func score(_ command: String, side: Int = 4) throws -> Tensor {
  try prepared(command).guide(for: batch()).scores(of: Candidates(images: images(side: side)))
}

@Suite("Guides that are programs")
struct ProgramGuideTests {
  /// Scores an image by its sum, its target's sum, its seed, its level and its node.
  private static let script = #"""
    import array, json, sys
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    def read(count):
        numbers = array.array("f")
        numbers.frombytes(requests.read(4 * count))
        return numbers
    while line := requests.readline():
        header = json.loads(line)
        if header["kind"] == "batch":
            assert header["version"] == 1
            size = header["channels"] * header["height"] * header["width"] if header["targets"] else 0
            targets = [sum(read(size)) for _ in range(header["batch"])]
            seeds = header["seeds"]
            continue
        size = header["channels"] * header["height"] * header["width"]
        scores = array.array("f")
        for image in range(header["batch"]):
            for node in range(header["first"], header["first"] + header["nodes"]):
                fixed = 10 * seeds[image] + 100 * header["level"] + 1000 * node
                scores.append(sum(read(size)) + targets[image] + fixed)
        answers.write(b'{"scores":%d}\n' % len(scores) + scores.tobytes())
        answers.flush()
    """#

  private static func sums(_ images: Tensor, _ targets: Tensor?, seeds: [UInt64], level: Int) throws -> Tensor {
    let nodes = try Tensor(
      (0..<images.shape[1]).map { Float(1000 * $0 + 100 * (level + 1)) }, shape: [1, images.shape[1]])
    let sums = try images.sum([2, 3, 4]) + nodes + Tensor(seeds.map { Float(10 * $0) }, shape: [seeds.count, 1])
    guard let targets else { return sums }
    return try sums + targets.sum([1, 2, 3]).reshaped([-1, 1])
  }

  /// Runs a script of the tests with Python.
  private static func withScript<R>(_ body: (String) throws -> R) throws -> R {
    let file = FileManager.default.temporaryDirectory.appending(path: "ddn-guide-\(UUID().uuidString).py")
    try Data(script.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try body("python3 \(file.path)")
  }

  @Test("each image gets the score that the program gives it, at every level and in every batch")
  func rightScores() throws {
    try Self.withScript { command in
      let program = try prepared(command)
      let targets = try Tensor.uniform([2, 1, 4, 4], generator: Generator(seed: 9))
      let first = try program.guide(for: batch(targets: targets))
      let second = try program.guide(for: batch(seeds: [7, 8, UInt64(1) << 40]))
      for (level, side) in [1, 2, 4].enumerated() {
        let candidates = try images(side: side, seed: UInt64(level))
        let found = try first.scores(of: Candidates(level: level, images: candidates))
        let expected = try Self.sums(candidates, targets, seeds: [1, 2], level: level)
        #expect(try deviation(of: found, from: expected) < 1e-6)
        let others = try images(samples: 3, nodes: 5, side: side, seed: 5)
        let theirs = try second.scores(of: Candidates(level: level, images: others))
        let sums = try Self.sums(others, nil, seeds: [7, 8, UInt64(1) << 40], level: level)
        #expect(try deviation(of: theirs, from: sums) < 1e-6)
      }
    }
  }

  @Test("a request has a bounded number of nodes")
  func bounded() throws {
    try Self.withScript { command in
      let program = try GuideProgram(command, timeout: 30, showErrors: { _ in }, failure: { GuideError(.failed, $0) })
      let candidates = try images(nodes: 7)
      let guide = ProgramGuide(program, batch: batch(), limit: 3 * 2 * 16)
      let found = try guide.scores(of: Candidates(images: candidates))
      #expect(try deviation(of: found, from: Self.sums(candidates, nil, seeds: [1, 2], level: 0)) < 1e-6)
    }
  }

  /// Reads the two headers and the 8 images of 4 x 4.
  private static let reads = "read -r a; read -r b; head -c 512 >/dev/null;"

  @Test(
    "a program that fails is one line with the command, the level and what happened",
    arguments: [
      ("exit 3", "at level 1 it exited with code 3 before it answered"),
      (
        "\(reads) echo ' bad weather ' >&2; exit 4",
        #"code 4 before it answered; the last line of its standard error is " bad weather ""#
      ),
      ("kill -9 $$", "at level 1 it was ended by signal 9"),
      ("no-such-program-here", "it exited with code 127 before it answered; the last line of its standard error is"),
      ("sleep 99,timeout=0.3", "it did not answer within 0.3 s; timeout= gives it more"),
      ("\(reads) exec 1>&-; sleep 99", "it closed its standard output before it answered"),
      (#"\#(reads) printf '{"scores":3}\n'; head -c 12 /dev/zero; sleep 99"#, "it answered 3 scores, not 8"),
      (#"\#(reads) printf '{"scores":8}\n12345'"#, "it exited with code 0 after 5 of the 32 bytes of its scores"),
      (#"\#(reads) printf '{"scores":8}\n12345'; sleep 99,timeout=0.3"#, "it did not answer within 0.3 s"),
      (
        #"\#(reads) printf '{"scores":8}\n%32smore' ' '; sleep 99"#,
        #"it wrote more than its scores to standard output: "more""#
      ),
      (
        #"\#(reads) echo '[hello]'; sleep 99"#,
        #"it wrote the line "[hello]"; its answer starts with the line {"scores":8}"#
      ),
      ("\(reads) head -c 5000 /dev/zero; sleep 99", "it wrote more than 4096 bytes without an end of line"),
      (
        #"\#(reads) printf '{"scores":8}\n'; head -c 20 /dev/zero; printf '\000\000\300\177'; head -c 8 /dev/zero; sleep 99"#,
        "it scored node 1 of image 1 as nan"
      ),
      (
        #"\#(reads) printf '{"scores":8}\n\000\000\200\177'; head -c 28 /dev/zero; sleep 99"#,
        "it scored node 0 of image 0 as inf"
      ),
    ])
  func failures(command: String, message: String) throws {
    let error = try #require(throws: GuideError.self) { _ = try score(command) }
    let text = error.description
    #expect(text.hasPrefix("--guide program:\(command): at level 1 it "), "\(text)")
    #expect(text.contains(message) && !text.contains("\n"), "\(text)")
  }

  @Test("a program that does not read, or hangs up, does not block or end this process")
  func reluctantReaders() throws {
    let hung = try #require(throws: GuideError.self) { _ = try score("sleep 99,timeout=0.3", side: 200) }
    #expect(hung.description.contains("it did not read its input within 0.3 s"))
    let deaf = try #require(throws: GuideError.self) { _ = try score("exec 0<&-; sleep 0.2; exit 5", side: 200) }
    #expect(deaf.description.contains("it exited with code 5 before it answered"))
  }

  @Test("a program may write more than a pipe holds before it reads")
  func writesFirst() throws {
    var shown = 0
    let program = try GuideProgram(
      #"head -c 300000 /dev/zero >&2; printf '{"scores":100000}\n'; head -c 400000 /dev/zero; exec cat >/dev/null"#,
      timeout: 20, showErrors: { shown += $0.count }, failure: { GuideError(.failed, $0) })
    let scores = try program.scores(100_000, for: [Data(count: 1_000_000)], at: "level 0")
    #expect(scores == [Float](repeating: 0, count: 100_000))
    #expect(shown == 300_000)
  }

  @Test("after an error every call throws it again")
  func staysFailed() throws {
    let guide = try prepared("exit 3").guide(for: batch())
    let candidates = try Candidates(images: images())
    let errors = try (0..<2).map { _ in try #require(throws: GuideError.self) { _ = try guide.scores(of: candidates) } }
    #expect(errors[0] == errors[1])
  }

  @Test("a pulse that stops the work stops the wait for a program")
  func stopped() throws {
    let started = ContinuousClock.now
    func waits() throws {
      let program = try GuideProgram(
        "sleep 60", timeout: 60, showErrors: { _ in }, failure: { GuideError(.failed, $0) })
      _ = try program.scores(1, for: [Data([1])], at: "level 1")
    }
    #expect(throws: TorchError.self) { try withPulse({ ContinuousClock.now - started < .seconds(0.2) }, waits) }
    #expect(ContinuousClock.now - started < .seconds(50))
  }

  @Test(
    "arguments that are wrong are named",
    arguments: [
      ("program", "needs a shell command"), ("program:true,timeout=soon", "timeout= 'soon'"),
      ("program:true,time=1", "has no option time=; its options are timeout="),
    ])
  func badArguments(text: String, message: String) throws {
    let error = try #require(throws: GuideError.self) {
      _ = try GuideKind.program.prepare(GuideArguments(text), for: setting)
    }
    #expect(error.description.contains(message), "\(error)")
  }
}
