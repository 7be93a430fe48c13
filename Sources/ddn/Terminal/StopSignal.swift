import Dispatch
import Foundation
import Synchronization

/// Turns Ctrl-C and SIGTERM into a question that a long job can ask between two steps.
///
/// The second signal ends the process at once.
enum StopSignal {
  private static let isRaised = Atomic(false)

  /// Catches the signals from now on, until the process ends.
  static func listen() {
    let queue = DispatchQueue(label: "stop signal")
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        withExtendedLifetime(source) {}  // The handler keeps its source alive.
        if isRaised.exchange(true, ordering: .relaxed) { Foundation.exit(130) }
        Terminal.printError("\nstopping after this step; once more to stop at once without saving")
      }
      source.resume()
    }
  }

  static func shouldStop() -> Bool { isRaised.load(ordering: .relaxed) }
}
