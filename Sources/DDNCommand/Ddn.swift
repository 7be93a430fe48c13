import ArgumentParser
import DDN
import DDNAblation
import DDNClassifiers
import DDNCodes
import DDNEvaluation
import DDNFiles
import DDNGuidance
import DDNServer
import DDNTraining
import Foundation
import Images
import Torch

/// The command `ddn`: parses, calls the libraries, prints.
@main
struct Ddn: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ddn",
    abstract: "Discrete Distribution Networks: train, generate, reconstruct.",
    discussion: """
      A DDN generates an image level by level. Each level computes K images and chooses one: the nearest to a target \
      in training and reconstruction, a random one in generation. The chosen indices are the image's code.

      Try it: ddn demo

      Exit codes: 0 done, 1 failed, 64 wrong usage, 65 damaged or unfit input, 66 missing file, 130 interrupted.
      """,
    version: BuildFacts.version,
    subcommands: [
      Demo.self, Train.self, Generate.self, Reconstruct.self, Encode.self, Decode.self, PriorCommand.self,
      TreeCommand.self, GuideCommand.self, Serve.self, Classifier.self, Evaluate.self, Fid.self, Ablate.self,
      Neighbours.self, Dataset.self, Info.self, Import.self, Export.self, Toy.self, Bench.self,
    ])

  static func main() {
    // A closed pipe, as in `ddn info | head`, ends the command silently; exceeding a file size limit is an error.
    signal(SIGPIPE, SIG_DFL)
    signal(SIGXFSZ, SIG_IGN)
    Terminal.openClosedStreams()
    ShippedFonts.use()
    do {
      try checkArguments()
      try LibTorch.tuneProcess()
      var command = try parseAsRoot()
      try command.run()
      if let failure = Terminal.outputFailure { throw failure }
      end(0)
    } catch {
      OutputFolder.removeUnused()
      end(report(error))
    }
  }

  /// An empty path would be the current folder.
  private static func checkArguments() throws(UsageError) {
    let arguments = CommandLine.arguments
    guard let place = arguments.indices.dropFirst().first(where: { arguments[$0].isEmpty }) else { return }
    let option =
      arguments[place - 1].hasPrefix("-") ? "\(arguments[place - 1]) has an empty value" : "an argument is empty"
    throw UsageError("\(option); give one, or leave it out")
  }

  /// `_exit`: libtorch's teardown takes a quarter of a short command's time.
  private static func end(_ code: Int32) -> Never {
    fflush(nil)
    _exit(code)
  }

  /// Prints an error as one line and returns its exit code.
  private static func report(_ error: any Error) -> Int32 {
    let code = Self.exitCode(for: error).rawValue
    if code == 0 {  // --help and --version
      let message = Self.fullMessage(for: error)
      Terminal.print(message == BuildFacts.version ? "\(message)\n\(BuildFacts.description)" : message)
      guard let failure = Terminal.outputFailure else { return 0 }
      return fail(failure.description, 1)
    }
    switch error {
    case let error as FileError:
      return fail(error.description, [.missing: 66, .invalid: 65, .failed: 1][error.kind]!)
    case let error as LatentCodeError: return fail(error.description, 65)
    case let error as ConditionError: return fail(error.description, 65)
    case let error as GuideError: return fail(error.description, error.kind == .usage ? 64 : 1)
    case let error as ImageError: return fail(error.description, 1)
    case let error as TorchError: return fail(error.description, 1)
    case let error as TrainingError:
      if case .diverged = error { return fail(error.description, 1) }
      return fail(error.description, 130)
    case let error as ClassifierError: return fail(error.description, 1)
    case let error as PriorError: return fail(error.description, 65)
    case let error as AblationError: return fail(error.description, 1)
    case let error as PageServer.ListenError: return fail(error.description, 1)
    case let error as EvaluationError: return fail(error.description, 65)
    case let error as PriorStopped: return fail(error.description, 130)
    case let error as ClassifierStopped: return fail(error.description, 130)
    case let error as ProcessGroupError:
      let code: Int32 = [.environment: 64, .join: 1, .lost: 1, .difference: 65][error.kind]!
      return fail(error.description, code)
    case is Interrupted, is JobStopped: return fail("interrupted", 130)
    case let error as UsageError: return fail(error.description, 64)
    case let error as ConfigurationError: return fail(error.description, 64)
    default:
      guard code == 64 else { return fail("internal error: \(error); please report it", 70) }
      // ArgumentParser's errors: the first line is the message, the rest is usage.
      let line =
        Self.message(for: error).split(separator: "\n").prefix { !$0.hasPrefix("Usage:") && !$0.hasPrefix("Help:") }
        .joined(separator: " ")
      return fail(
        "\(line.isEmpty ? "wrong usage" : line); see \((["ddn"] + commandNames() + ["--help"]).joined(separator: " "))",
        64)
    }
  }

  /// The subcommands among the arguments: "dataset", "convert".
  private static func commandNames() -> [String] {
    var names: [String] = []
    var commands = configuration.subcommands
    for argument in CommandLine.arguments.dropFirst() {
      guard let command = commands.first(where: { $0._commandName == argument }) else { continue }
      names.append(argument)
      commands = command.configuration.subcommands
    }
    return names
  }

  private static func fail(_ message: String, _ code: Int32) -> Int32 {
    // What all ranks find alike, rank 0 reports.
    if Terminal.rank > 0, code == 64 || code == 130 { return code }
    // File names and libraries' messages may contain newlines and terminal codes.
    let most = 2000
    let shown = message.unicodeScalars.prefix(most)
    let scalars = shown.map { $0.properties.generalCategory == .control ? " " : $0 }
    let rank = Terminal.rank > 0 ? "rank \(Terminal.rank): " : ""
    let end = shown.endIndex == message.unicodeScalars.endIndex ? "" : "..."
    Terminal.printFailure("ddn: \(rank)\(String(String.UnicodeScalarView(scalars)))\(end)")
    return code
  }
}

/// An invalid option that is found after parsing.
struct UsageError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
