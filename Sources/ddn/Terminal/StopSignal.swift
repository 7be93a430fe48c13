import Dispatch
import Foundation
import Synchronization

/// Turns Ctrl-C and SIGTERM into a question that a long job can ask between two steps.
///
/// The second signal ends the process at once. Unchecked: the sources are only kept, never used from two threads.
final class StopSignal: @unchecked Sendable {
  private let isRaised = Atomic(false)
  private let sources: [any DispatchSourceSignal]

  init() {
    let queue = DispatchQueue(label: "stop signal")
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: queue)
    }
    for source in sources {
      source.setEventHandler { [unowned self] in
        if isRaised.exchange(true, ordering: .relaxed) { Foundation.exit(130) }
        Terminal.printError("\nstopping after this step; once more to stop at once without saving")
      }
      source.resume()
    }
  }

  var shouldStop: Bool { isRaised.load(ordering: .relaxed) }
}
