import Dispatch
import Foundation
import Synchronization

/// A job that has nothing to save was stopped.
struct Interrupted: Error {}

/// Turns the signals that end a process into a question that a long job can ask between two steps.
///
/// Terminals, launchers and limits send them: Ctrl-C (INT), `kill` and `timeout` (TERM), a closed terminal (HUP), Slurm
/// (USR1, USR2), `ulimit -t` (XCPU). Some send several within milliseconds, which is one wish. A reader of the output that
/// goes away (PIPE) is another.
enum StopSignal {
  private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU]
  /// After it a second Ctrl-C or TERM is no repetition of the first but impatience.
  private static let patience = Duration.seconds(3)

  private struct State {
    var notice: String?
    var raised: ContinuousClock.Instant?
  }
  private static let state = Mutex(State())

  /// Catches the signals from now on, until the process ends. A HUP that `nohup` has switched off stays so.
  ///
  /// - Parameters:
  ///   - notice: what to print when the first one comes.
  ///   - onClosedPipe: whether a reader of the output that goes away is a stop, too, for a job with something to save; it ends
  ///     others at once.
  static func listen(_ notice: String, onClosedPipe: Bool = false) {
    state.withLock { $0.notice = notice }
    if onClosedPipe { signal(SIGPIPE, SIG_IGN) }  // `Terminal` raises the stop when it cannot write.
    let queue = DispatchQueue(label: "stop signal")
    for number in signals {
      let before = signal(number, SIG_IGN)
      if number == SIGHUP, unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { continue }
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        withExtendedLifetime(source) {}  // The handler keeps its source alive.
        raise(canForce: number == SIGINT || number == SIGTERM)
      }
      source.resume()
    }
  }

  /// Asks the job to stop, as a signal does; without effect on a job that does not listen.
  static func raise(canForce: Bool = false) {
    let notice: String? = state.withLock { state in
      guard let notice = state.notice else { return nil }
      guard let raised = state.raised else {
        state.raised = .now
        return notice
      }
      // Not exit(), which would take libtorch apart while the main thread computes.
      if canForce, ContinuousClock.now - raised > patience { _exit(130) }
      return nil
    }
    if let notice { Terminal.printError(notice) }
  }

  static func shouldStop() -> Bool { state.withLock { $0.raised != nil } }
  static func shouldContinue() -> Bool { !shouldStop() }
}
