import DDNFiles
import Foundation
import HTTPTypes
import Hummingbird

/// Turns errors into responses `{ "error": "..." }`, and adds the headers that all responses have.
struct ErrorBodies: RouterMiddleware {
  /// Called with each internal error, one line.
  let report: @Sendable (String) -> Void

  func handle(
    _ request: Request, context: PageContext, next: (Request, PageContext) async throws -> Response
  ) async throws -> Response {
    var response: Response
    do { response = try await next(request, context) } catch {
      let refusal =
        RequestError(error) ?? .internalError(error, at: "\(request.method.rawValue) \(request.uri.path)", report)
      response = Self.response(refusal)
      if [.contentTooLarge, .requestTimeout, .badRequest].contains(refusal.status) {
        response.headers[.connection] = "close"
        context.closeSoon()
      }
    }
    response.headers[.contentSecurityPolicy] = Self.policy
    response.headers[.xContentTypeOptions] = "nosniff"
    response.headers[.referrerPolicy] = "no-referrer"
    response.headers[.crossOriginResourcePolicy] = "same-origin"
    response.headers[.crossOriginOpenerPolicy] = "same-origin"
    if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    return response
  }

  static func response(_ error: RequestError) -> Response {
    var headers: HTTPFields = [.contentType: "application/json; charset=utf-8"]
    if let seconds = error.retryAfterSeconds { headers[.retryAfter] = String(seconds) }
    if !error.allowedMethods.isEmpty {
      headers[.allow] = error.allowedMethods.map(\.rawValue).joined(separator: ", ")
    }
    return Response(status: error.status, headers: headers, body: .init(byteBuffer: .init(data: error.body)))
  }

  private static let policy = """
    default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'
    """
}

extension RequestError {
  /// `{ "error": "..." }`.
  var body: Data {
    // A dictionary of strings has JSON.
    try! JSONEncoder.ofResponses.encode(["error": message])
  }

  /// The answer for an internal error, whose details go to the operator alone.
  static func internalError(_ error: any Error, at place: String, _ report: (String) -> Void) -> RequestError {
    report("\(place): \(error)")
    return RequestError(.internalServerError, "the server failed at this request; its operator sees why")
  }
}

extension JSONEncoder {
  static var ofResponses: JSONEncoder {
    let encoder = JSONEncoder.oneLine
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "infinity", negativeInfinity: "-infinity", nan: "nan")
    return encoder
  }
}

extension HTTPField.Name {
  static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
  static let crossOriginResourcePolicy = HTTPField.Name("Cross-Origin-Resource-Policy")!
  static let crossOriginOpenerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy")!
}
