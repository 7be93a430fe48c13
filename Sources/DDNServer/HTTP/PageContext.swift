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
  ///
  /// - Parameter seconds: from now.
  func closeSoon(after seconds: Int64 = 1) {
    let channel = channel
    _ = channel.eventLoop.scheduleTask(in: .seconds(seconds)) { channel.close(promise: nil) }
  }
}
