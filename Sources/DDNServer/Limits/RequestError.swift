import DDN
import DDNCodes
import DDNFiles
import DDNGuidance
import HTTPTypes
import Hummingbird
import Images
import NIOHTTP1
import Torch

/// Why a request is refused: the response's status, and its body `{ "error": "..." }`.
struct RequestError: Error, Equatable, Sendable {
  let status: HTTPResponse.Status
  /// One line: what is wrong and what to do.
  let message: String
  /// For clients that may try again.
  var retryAfterSeconds: Int?
  /// Methods that the page has, for clients that asked with another.
  var allowedMethods: [HTTPRequest.Method] = []

  init(_ status: HTTPResponse.Status, _ message: String, retryAfterSeconds: Int? = nil) {
    self.status = status
    self.message = message
    self.retryAfterSeconds = retryAfterSeconds
  }

  /// A request that cannot be understood.
  static func malformed(_ message: String) -> RequestError { RequestError(.badRequest, message) }
  /// A request whose values do not fit.
  static func unfit(_ message: String) -> RequestError { RequestError(.unprocessableContent, message) }

  /// The answer to a client's request that failed; nil for errors of the server's own.
  init?(_ error: any Error) {
    switch error {
    case let error as RequestError: self = error
    case let error as LatentCodeError: self = .unfit(error.description)
    case let error as ConditionError: self = .unfit(error.description)
    case let error as PriorError: self = .unfit(error.description)
    case let error as ImageError: self = .unfit(error.description)
    case let error as GuideError where error.kind == .usage: self = .unfit(error.description)
    // Without the path, which names a file of this machine or none.
    case let error as FileError where error.kind == .invalid: self = .unfit("\(error.problem); \(error.remedy)")
    case let error as HTTPError: self.init(error)
    case is HTTPParserError: self = .malformed("the request is not HTTP")
    case is JobStopped, is CancellationError:
      self.init(.serviceUnavailable, "the request was cancelled; send it again")
    default: return nil
    }
  }

  private init(_ error: HTTPError) {
    switch error.status {
    case .notFound: self.init(.notFound, "there is no such page; GET /api/openapi.json describes all")
    case .methodNotAllowed: self.init(.methodNotAllowed, "this method is not for this page")
    case .contentTooLarge: self.init(.contentTooLarge, "the request's body is too large")
    default: self.init(error.status, "the request cannot be understood")
    }
  }
}
