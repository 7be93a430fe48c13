import Foundation
import Hummingbird

/// Answers requests that the models work on: after a wait in the queue, until the client goes.
struct ModelRequests: Sendable {
  let queue: WorkQueue
  let worker: ModelWorker
  let report: @Sendable (String) -> Void

  /// Waits for the models, for a short answer.
  func answer<R: Sendable>(
    _ context: PageContext, _ work: (ModelWorker) async throws -> R
  ) async throws -> R {
    let ticket = try queue.enter(context.address)
    defer { ticket.leave() }
    try await ticket.turn()
    return try await work(worker)
  }

  /// Answers with server-sent events if the client asks for them, else with the last event's data as JSON.
  ///
  /// The events are `queued`, with the number of requests before this one, those of `work`, and at last `done` or
  /// `error`. Work stops when the client closes the connection.
  ///
  /// - Parameter work: gets the models and what sends an event; it returns the data of `done`.
  func stream<R: Encodable & Sendable>(
    _ request: Request, _ context: PageContext,
    _ work: @escaping @Sendable (ModelWorker, ServerEvents) async throws -> R
  ) async throws -> Response {
    let ticket = try queue.enter(context.address)
    let place = "\(request.method.rawValue) \(request.uri.path)"
    let body = request.body
    guard request.headers[.accept]?.contains("text/event-stream") ?? false else {
      let result = try await body.consumeWithCancellationOnInboundClose { _ in
        try await finished(ticket, work, ServerEvents(nil))
      }
      var response = try Response(json: result)
      response.headers[.connection] = "close"  // What follows the request has been read.
      return response
    }
    return Response(
      status: .ok,
      headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store", .connection: "close"],
      body: .init { writer in
        do {
          try await body.consumeWithCancellationOnInboundClose { _ in
            try await send(ticket, place, context, work, to: &writer)
          }
        } catch is CancellationError {}  // The client has gone.
        try await writer.finish(nil)
      })
  }

  /// After the work a client has so long to read its events: one that does not read would hold its connection forever.
  private static let readingSeconds: Int64 = 30

  private func send<R: Encodable & Sendable>(
    _ ticket: Ticket, _ place: String, _ context: PageContext,
    _ work: @escaping @Sendable (ModelWorker, ServerEvents) async throws -> R, to writer: inout any ResponseBodyWriter
  ) async throws {
    let (stream, feed) = AsyncStream<ByteBuffer>.makeStream()
    let events = ServerEvents(feed)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer {
          feed.finish()
          context.closeSoon(after: Self.readingSeconds)
        }
        do {
          let result = try await finished(ticket, work, events)
          events.send("done", result)
        } catch {
          let refusal = RequestError(error) ?? .internalError(error, at: place, report)
          events.send("error", ["error": refusal.message])
        }
      }
      group.addTask {
        // Comments find connections that have broken without a word.
        while !Task.isCancelled {
          try? await Task.sleep(for: .seconds(2))
          feed.yield(ByteBuffer(string: ":\n\n"))
        }
      }
      for await event in stream { try await writer.write(event) }
      group.cancelAll()
    }
  }

  private func finished<R: Sendable>(
    _ ticket: Ticket, _ work: @Sendable (ModelWorker, ServerEvents) async throws -> R, _ events: ServerEvents
  ) async throws -> R {
    defer { ticket.leave() }
    try await ticket.turn { events.send("queued", ["before": $0]) }
    return try await work(worker, events)
  }
}
