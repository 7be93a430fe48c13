import DDNFiles
import Foundation
import Testing

/// Tests of the built program: what its commands do. One at a time, for a `ddn` uses at least one core.
@Suite("The command ddn", .serialized) enum CommandTests {}

/// Tests of the built program: its help, what it says of wrong usage, input and disks, and what it leaves when it is
/// stopped. They run beside the others, one at a time, too.
@Suite("The command ddn: help and errors", .serialized) enum CommandErrorTests {}

/// A running `ddn`.
final class Command {
  /// A command's exit code and output.
  struct Result {
    /// 128 + the signal's number after a signal, as in a shell.
    let exitCode: Int32
    let output: String
    let errors: String

    /// Whether the command failed with this exit code and one line on standard error that starts with "ddn: ".
    func isFailure(_ code: Int32, _ part: String = "ddn") -> Bool {
      exitCode == code && errors.hasPrefix("ddn: ") && errors.hasSuffix("\n")
        && errors.split(separator: "\n").count == 1
        && errors.contains(part)
    }
  }

  struct TimedOut: Error { let command: [String], output, errors: String }

  private let process = Process()
  private let arguments: [String]
  private let output: URL
  private let errors: URL

  /// - Parameters:
  ///   - shell: a bash command line in which `"$@"` is the command.
  init(_ arguments: [String], shell: String? = nil, in folder: URL = Scratch.root) throws {
    let streams = try Scratch.folder()
    (output, errors) = (streams.appending(path: "output"), streams.appending(path: "errors"))
    self.arguments = arguments
    process.executableURL = shell == nil ? Self.program : URL(filePath: "/bin/bash")
    process.arguments = shell.map { ["-c", $0, "bash", Self.program.path] } ?? []
    process.arguments! += arguments
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    for (url, path) in [(output, \Process.standardOutput), (errors, \Process.standardError)] {
      try Data().write(to: url)
      process[keyPath: path] = try FileHandle(forWritingTo: url)
    }
    try process.run()
  }

  /// The program beside the tests, or the one of `make build`.
  static let program: URL = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let places = [Bundle.main.bundleURL, root.appending(path: ".build/release")].map { $0.appending(path: "ddn") }
    return places.first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? places[1]
  }()

  /// Runs a command and waits for its end.
  static func run(_ arguments: [String], shell: String? = nil, in folder: URL = Scratch.root) async throws -> Result {
    try await Command(arguments, shell: shell, in: folder).result()
  }

  /// Runs a command, sends it a signal soon after it has printed a text, and waits for its end.
  ///
  /// A shell watches the output: this process can be busy with other tests for seconds.
  static func run(
    _ arguments: [String], signal: Int32, after text: String, in folder: URL = Scratch.root
  ) async throws -> Result {
    let output = "printed-\(UUID().uuidString)"
    let script = """
      "$@" > \(output) & child=$!
      until grep -q '\(text)' \(output) || ! kill -0 $child 2> /dev/null; do sleep 0.02; done
      sleep 0.15; kill -\(signal) $child; wait $child; code=$?
      cat \(output); rm \(output); exit $code
      """
    return try await run(arguments, shell: script, in: folder)
  }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// The output so far.
  var printed: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }

  /// Waits until something has been printed, or the command has ended.
  func waitForOutput(_ text: String) async throws {
    try await wait { printed.contains(text) || !process.isRunning }
  }

  /// Waits for the end.
  func result() async throws -> Result {
    try await wait { !process.isRunning }
    let status = process.terminationStatus
    return Result(
      exitCode: process.terminationReason == .uncaughtSignal ? 128 + status : status, output: printed,
      errors: try String(contentsOf: errors, encoding: .utf8))
  }

  private func wait(until isDone: () -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(120)
    while !isDone() {
      if ContinuousClock.now > end {
        send(SIGKILL)
        throw TimedOut(
          command: arguments, output: printed, errors: (try? String(contentsOf: errors, encoding: .utf8)) ?? "")
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}

/// Folders that are removed after the tests.
enum Scratch {
  static let root: URL = {
    let url = FileManager.default.temporaryDirectory.appending(path: "ddn-command-tests-\(getpid())")
    atexit { try? FileManager.default.removeItem(at: Scratch.root) }
    return url
  }()

  static func folder() throws -> URL {
    let url = root.appending(path: UUID().uuidString)
    try Folder.create(url)
    return url
  }
}

/// A run so small that it saves several times per second.
enum ShortTraining {
  /// - Parameter thousandImages: duration in thousands of images, with a save after each thousand.
  static func arguments(thousandImages: Int, in folder: URL) -> [String] {
    [
      "train", "--threads", "1", "--nodes", "4", "--levels", "2", "--width", "2", "--batch", "500", "--tick", "1",
      "--snap", "1", "--ema", "0.002", "--duration", String(Double(thousandImages) / 1000), "--outdir", folder.path,
    ]
  }

  /// The folder of a finished run of 2,000 images, for read-only tests.
  static let finished = Task {
    let folder = try Scratch.folder()
    let result = try await Command.run(arguments(thousandImages: 2, in: folder))
    try #require(result.exitCode == 0, "\(result.errors)")
    return folder.appending(path: "00000-mnist-test")
  }

  /// A mutable copy of `finished`.
  static func copy() async throws -> URL {
    let copy = try Scratch.folder().appending(path: "run")
    try FileManager.default.copyItem(at: try await finished.value, to: copy)
    return copy
  }
}
