import DDNFiles
import Foundation
import Synchronization
import Torch

/// Standard output and error, and a status line on terminals.
enum Terminal {
  /// Whether standard error is a terminal that can erase lines.
  static let isInteractive =
    isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM", default: "dumb"] != "dumb"

  /// This process's rank among those of its launcher; only rank 0 prints, and other ranks only the error that ends them.
  static let rank = (try? ProcessGroupPlace(ProcessInfo.processInfo.environment))?.rank ?? 0

  private struct State {
    var hasLiveLine = false
    var outputFailure: FileError?
  }

  /// Locked, because signals print from another thread.
  private static let state = Mutex(State())

  /// The first failure to write standard output, such as a full disk; the job continues, and the exit code reports it.
  static var outputFailure: FileError? { state.withLock { $0.outputFailure } }

  /// Prints a line to standard output.
  static func print(_ line: String) {
    guard rank == 0 else { return }
    let isUnread = state.withLock { state in
      eraseLiveLine(&state)
      let file = OutputFile(standard: STDOUT_FILENO, named: "standard output")
      do throws(FileError) { try file.write(Data((line + "\n").utf8)) } catch {
        let isUnread = errno == EPIPE
        state.outputFailure = state.outputFailure ?? error
        return isUnread
      }
      return false
    }
    if isUnread { StopSignal.raise() }
  }

  /// Prints a line to standard error.
  static func printError(_ line: String) {
    guard rank == 0 else { return }
    printFailure(line)
  }

  /// Prints the error that ends this process, of any rank, to standard error.
  static func printFailure(_ line: String) {
    state.withLock { state in
      eraseLiveLine(&state)
      writeError(line + "\n")
    }
  }

  /// Prints notes on a data set to standard error.
  static func printNotes(_ notes: [String]) {
    for note in notes { printError("note: \(note)") }
  }

  /// Shows a status line that the next output overwrites; empty for none.
  static func showLive(_ line: String) {
    guard rank == 0 else { return }
    state.withLock { state in
      eraseLiveLine(&state)
      state.hasLiveLine = isInteractive && !line.isEmpty
      if state.hasLiveLine { writeError(String(line.prefix(columns - 1))) }
    }
  }

  /// The terminal's width; a longer status line would wrap and could not be erased.
  static var columns: Int {
    var size = winsize()
    return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 1 ? Int(size.ws_col) : 80
  }

  private static func eraseLiveLine(_ state: inout State) {
    if state.hasLiveLine { writeError("\r\u{1B}[K") }
    state.hasLiveLine = false
  }

  /// Ignores failures, which cannot be reported.
  private static func writeError(_ text: String) {
    try? OutputFile(standard: STDERR_FILENO, named: "standard error").write(Data(text.utf8))
  }

  /// Opens closed standard streams as /dev/null, so that no other file gets their descriptors.
  static func openClosedStreams() {
    for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
      _ = open("/dev/null", O_RDWR)  // Gets the lowest free descriptor, which is `stream`.
    }
  }
}
