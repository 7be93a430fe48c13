/// What a request and a client may take. A server for strangers lowers them; nothing lifts them but its operator.
public struct ServerLimits: Sendable {
  /// Of a request's body.
  public var bodyBytes = 4 << 20
  /// Of a request's header fields, all together.
  public var headerBytes = 16 << 10
  /// Of a picture in a request, before it is decoded.
  public var pixels = 1 << 24
  /// Of one address; 0 for no limit.
  public var requestsPerMinute = 600
  /// Requests that may use or await the models at once.
  public var waiting = 64
  /// The same for one address beyond this machine.
  public var waitingPerAddress = 8
  /// Of the models' work on one request.
  public var workSeconds = 60.0
  /// Until a request's body is complete.
  public var bodySeconds = 20.0
  /// Until a connection without a complete request is closed.
  public var idleSeconds = 30
  /// Open at once; others wait to be accepted.
  public var connections = 256
  /// Images of one drawing.
  public let samples = 16
  /// Guides of one drawing.
  public let guides = 8
  /// Characters of a guide's text.
  public let textLength = 400
  /// Images of a level that are shown at once.
  public let candidates = 4096

  public init() {}
}
