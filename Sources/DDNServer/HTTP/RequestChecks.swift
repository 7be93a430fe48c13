import HTTPTypes
import Hummingbird

/// Refuses requests that another site's page sends through a visitor's browser, and clients with too many.
///
/// A name that an attacker lets point to this machine (DNS rebinding) is no name of this server; addresses and
/// `localhost` cannot be rebound.
struct RequestChecks: RouterMiddleware {
  /// Beside addresses and `localhost`, in lower case.
  let names: Set<String>
  let limiter: RateLimiter

  func handle(
    _ request: Request, context: PageContext, next: (Request, PageContext) async throws -> Response
  ) async throws -> Response {
    try limiter.admit(context.address)
    guard let authority = request.head.authority?.lowercased(), isOurs(authority) else {
      throw RequestError(
        .misdirectedRequest, "this server has another name; start ddn serve with --name for each name that it has")
    }
    let isPage = !request.uri.path.hasPrefix("/api/")
    if let origin = request.headers[.origin]?.lowercased(), origin != "http://\(authority)",
      origin != "https://\(authority)"
    {
      throw RequestError(.forbidden, "requests of other sites' pages are refused")
    }
    // A link from another site may open the page, and do no more.
    if let site = request.headers[.fetchSite]?.lowercased(), site != "same-origin", site != "none", !isPage {
      throw RequestError(.forbidden, "requests of other sites' pages are refused")
    }
    return try await next(request, context)
  }

  private func isOurs(_ authority: String) -> Bool {
    let host = Self.host(of: authority)
    return host == "localhost" || Self.isAddress(host) || names.contains(host)
  }

  /// Without the port; an IPv6 address in brackets.
  static func host(of authority: String) -> String {
    if authority.hasPrefix("[") { return String(authority.prefix { $0 != "]" }) + "]" }
    return String(authority.prefix { $0 != ":" })
  }

  static func isAddress(_ host: String) -> Bool {
    if host.hasPrefix("["), host.hasSuffix("]") {
      return host.count > 3 && host.dropFirst().dropLast().allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
    }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
  }
}

extension HTTPField.Name {
  static let fetchSite = HTTPField.Name("Sec-Fetch-Site")!
}
