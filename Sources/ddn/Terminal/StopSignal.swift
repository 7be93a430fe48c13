import Dispatch
import Foundation
import Synchronization

/// A job that has nothing to save was stopped.
struct Interrupted: Error {}

/// Turns Ctrl-C and SIGTERM into a question that a long job can ask between two steps.
///
/// The second signal ends the process at once.
enum StopSignal {
  private static let isRaised = Atomic(false)

  /// Catches the signals from now on, until the process ends.
  ///
  /// - Parameter notice: what the person who pressed Ctrl-C is told.
  static func listen(_ notice: String) {
    let queue = DispatchQueue(label: "stop signal")
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        withExtendedLifetime(source) {}  // The handler keeps its source alive.
        // Not exit(), which would take libtorch apart while the main thread computes.
        if isRaised.exchange(true, ordering: .relaxed) { _exit(130) }
        Terminal.printError(notice)
      }
      source.resume()
    }
  }

  static func shouldStop() -> Bool { isRaised.load(ordering: .relaxed) }
}
