import Foundation
import Hummingbird

/// Sends server-sent events; nothing for a client that wants none.
struct ServerEvents: Sendable {
  private let feed: AsyncStream<ByteBuffer>.Continuation?

  init(_ feed: AsyncStream<ByteBuffer>.Continuation?) { self.feed = feed }

  /// - Parameters:
  ///   - name: of the event.
  ///   - data: as JSON, which has no newlines.
  func send(_ name: String, _ data: some Encodable) {
    guard let feed, let json = try? JSONEncoder.ofResponses.encode(data) else { return }
    var buffer = ByteBuffer(string: "event: \(name)\ndata: ")
    buffer.writeBytes(json)
    buffer.writeString("\n\n")
    feed.yield(buffer)
  }
}

extension Response {
  /// - Parameter json: the body.
  init(json: some Encodable) throws {
    self.init(
      status: .ok, headers: [.contentType: "application/json; charset=utf-8"],
      body: .init(byteBuffer: .init(data: try JSONEncoder.ofResponses.encode(json))))
  }

  init(png data: Data) {
    self.init(status: .ok, headers: [.contentType: "image/png"], body: .init(byteBuffer: .init(data: data)))
  }
}
