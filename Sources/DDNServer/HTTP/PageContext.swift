import Hummingbird
import NIOCore

/// A request's connection.
struct PageContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }

  /// The client's, without a port.
  var address: String { channel.remoteAddress?.ipAddress ?? "unknown" }

  /// Closes the connection soon after the response: its rest cannot be understood, or is not wanted.
  func closeSoon() {
    let channel = channel
    _ = channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
  }
}
