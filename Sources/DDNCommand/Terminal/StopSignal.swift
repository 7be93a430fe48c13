import Foundation
import Synchronization

/// Where signal handlers write the signal's number.
nonisolated(unsafe) private var signalPipe: Int32 = -1

/// The user stopped a job without anything to save.
struct Interrupted: Error {}

/// Turns termination signals into a flag that long jobs poll.
///
/// Handles Ctrl-C (INT), `kill` and `timeout` (TERM), a closed terminal (HUP), Slurm (USR1, USR2), `ulimit -t` (XCPU)
/// and, optionally, a closed pipe (PIPE). Some senders repeat signals within milliseconds; these count once.
enum StopSignal {
  private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU]
  /// A second Ctrl-C or TERM forces an exit only after this delay.
  private static let forceDelay = Duration.seconds(3)

  private struct State {
    var notice: String?
    var raised: ContinuousClock.Instant?
  }
  private static let state = Mutex(State())

  /// Handles the signals until the process ends; called again, it changes the notice. A HUP ignored by `nohup` stays ignored.
  ///
  /// - Parameters:
  ///   - notice: printed at the first signal.
  ///   - onClosedPipe: whether a closed output pipe stops the job, which can then save, instead of killing the process.
  static func listen(_ notice: String, onClosedPipe: Bool = false) {
    let isListening = state.withLock { state in
      defer { state.notice = notice }
      return state.notice != nil
    }
    if onClosedPipe { signal(SIGPIPE, SIG_IGN) }  // `Terminal` raises the stop when it cannot write.
    if isListening { return }
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return }  // Without a pipe a signal ends the process, as it always does.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    signalPipe = ends[1]
    for number in signals {
      var before = sigaction()
      sigaction(number, nil, &before)
      if number == SIGHUP, before.isIgnored { continue }
      // From here on no signal is lost: a handler may only write, and the thread does the rest.
      signal(number) { number in
        let error = errno
        var number = UInt8(number)
        _ = write(signalPipe, &number, 1)
        errno = error
      }
    }
    // A parent with threads may have blocked them; the reader inherits the mask of this thread.
    var mask = sigset_t()
    sigemptyset(&mask)
    for number in signals { sigaddset(&mask, number) }
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    let reader = Thread { [source = ends[0]] in
      var number: UInt8 = 0
      while read(source, &number, 1) == 1 { raise(canForce: [SIGINT, SIGTERM].contains(Int32(number))) }
    }
    reader.start()
  }

  /// Requests a stop like a signal; no effect before `listen`.
  static func raise(canForce: Bool = false) {
    let notice: String? = state.withLock { state in
      guard let notice = state.notice else { return nil }
      guard let raised = state.raised else {
        state.raised = .now
        return notice
      }
      // `_exit`: libtorch's teardown would crash while the main thread computes.
      if canForce, ContinuousClock.now - raised > forceDelay { _exit(130) }
      return nil
    }
    if let notice { Terminal.printError(notice) }
  }

  static func shouldStop() -> Bool { state.withLock { $0.raised != nil } }
  static func shouldContinue() -> Bool { !shouldStop() }
}

extension sigaction {
  fileprivate var isIgnored: Bool {
    unsafeBitCast(__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
