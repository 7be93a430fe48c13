import Foundation
import Testing

@testable import DDNServer

@Suite("The server over HTTP", .serialized) struct HTTPTests {
  @Test("all pages have their types and a policy, and no others exist") func pages() async throws {
    let reports = try await RunningServer.with { server in
      for (path, type) in [
        ("/", "text/html"), ("/style.css", "text/css"), ("/app.js", "text/javascript"), ("/icon.svg", "image/svg+xml"),
        ("/api/models", "application/json"), ("/api/openapi.json", "application/json"),
        ("/api/picture?model=mnist-k8-l3&code=1.2.3", "image/png"),
      ] {
        let answer = try server.send("GET", path)
        #expect(answer.status == 200 && answer.headers["content-type"]?.hasPrefix(type) == true, "\(path)")
        #expect(answer.headers["content-security-policy"]?.contains("default-src 'none'") == true)
        #expect(answer.headers["x-content-type-options"] == "nosniff")
      }
      for path in [
        "/nothing", "/../Package.swift", "/..%2f..%2fetc/passwd", "/%2e%2e/etc/passwd", "/index.html/..", "/style.css/",
        "//etc/passwd", "/api/", "/api/training",
      ] {
        let answer = try server.send("GET", path)
        #expect(answer.status == (path == "/style.css/" ? 200 : 404), "\(path): \(answer.status)")
        if answer.status == 404 { #expect(answer.body.hasPrefix(#"{"error":""#), "\(answer.body)") }
      }
      #expect(try server.send("HEAD", "/").status == 200)
      for (method, path, allowed) in [
        ("DELETE", "/api/models", "GET, HEAD"), ("POST", "/", "GET, HEAD"), ("GET", "/api/draw", "POST"),
        ("HEAD", "/api/draw", "POST"), ("OPTIONS", "/api/encode", "POST"),
      ] {
        let answer = try server.send(method, path)
        #expect(answer.status == 405 && answer.headers["allow"] == allowed, "\(method) \(path): \(answer)")
        #expect(answer.body.contains("requests only") == (method != "HEAD"), "\(answer.body)")
      }
      #expect(try server.send("DELETE", "/nothing").status == 404)
    }
    #expect(reports == [])
  }

  @Test("other names, other sites' pages and their forms are refused") func otherSites() async throws {
    var options = RunningServer.options
    options.names = ["Pictures.example"]
    try await RunningServer.with(options) { server in
      func status(_ headers: [String: String], _ path: String = "/api/models") throws -> Int {
        try server.send("GET", path, headers).status
      }
      for host in ["localhost:\(server.port)", "127.0.0.1", "pictures.example", "[::1]:80"] {
        #expect(try status(["Host": host]) == 200)
      }
      for host in ["evil.example", "evil.example:\(server.port)", "127.0.0.1.evil.example", "localhost.evil.example"] {
        #expect(try status(["Host": host]) == 421)
        #expect(try status(["Host": host], "/") == 421)
      }
      let own = "127.0.0.1:\(server.port)"
      #expect(try status(["Origin": "http://\(own)"]) == 200)
      for origin in ["http://evil.example", "null", "http://127.0.0.1:1", "http://\(own).evil.example"] {
        #expect(try status(["Origin": origin]) == 403)
      }
      #expect(try status(["Sec-Fetch-Site": "same-origin"]) == 200)
      #expect(try status(["Sec-Fetch-Site": "cross-site"]) == 403)
      #expect(try status(["Sec-Fetch-Site": "same-site"]) == 403)
      #expect(try status(["Sec-Fetch-Site": "cross-site"], "/") == 200, "a link opens the page")
      let form = ["Content-Type": "text/plain"]
      #expect(try server.send("POST", "/api/draw", form, body: #"{"model": "mnist-k8-l3"}"#).status == 415)
      let asked = try server.send("OPTIONS", "/api/draw", ["Origin": "http://evil.example"])
      #expect(asked.headers["access-control-allow-origin"] == nil)
    }
  }

  @Test("malformed and oversized requests have their statuses, and errors are JSON") func malformed() async throws {
    var options = RunningServer.options
    options.limits.bodyBytes = 10_000
    let reports = try await RunningServer.with(options) { server in
      func check(_ path: String, _ body: String, _ status: Int, _ part: String) throws {
        let answer = try server.send("POST", path, body: body)
        #expect(answer.status == status, "\(body.prefix(80)): \(answer.status)")
        let error = try JSONDecoder().decode([String: String].self, from: Data(answer.body.utf8))["error"]
        #expect(error?.contains(part) == true, "\(answer.body)")
      }
      try check("/api/draw", "nonsense", 400, "the body is not as /api/openapi.json describes it")
      try check("/api/draw", #"{"model": "mnist-k8-l3", "guides": [{"kind": "magic"}]}"#, 400, "at guides.0.kind")
      try check("/api/draw", #"{"seeds": [1]}"#, 400, "at model")
      try check("/api/draw", #"{"model": "x"}"#, 404, "there is no model of this name")
      try check("/api/draw", #"{"model": "mnist-k8-l3", "seeds": ["1"]}"#, 400, "at seeds.0")
      try check("/api/draw", #"{"model": "mnist-k8-l3", "seeds": [-1]}"#, 400, "the body is not")
      try check("/api/encode", #"{"model": "mnist-k8-l3", "picture": "AAAA"}"#, 422, "not a readable image")
      try check("/api/encode", #"{"model": "mnist-k8-l3", "picture": "!"}"#, 400, "at picture")
      try check("/api/decode", #"{"file": "AAAA"}"#, 422, "no .ddn file")
      try check("/api/draw", String(repeating: "[", count: 9_000), 400, "the body is not")
      let large = try server.send("POST", "/api/draw", body: String(repeating: " ", count: 10_001))
      #expect(large.status == 413 && large.body.contains("10000 bytes"))
      let chunk = "2710\r\n" + String(repeating: " ", count: 10_000) + "\r\n"
      let chunked = try server.exchange(
        "POST /api/draw HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
          + "Transfer-Encoding: chunked\r\n\r\n\(chunk)\(chunk)0\r\n\r\n")
      #expect(chunked.hasPrefix("HTTP/1.1 413"))
      let overflow = try server.exchange(
        "POST /api/draw HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
          + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx\r\n")
      #expect(overflow.hasPrefix("HTTP/1.1 400"), "\(overflow)")
      for query in ["code=1", "model=MODEL&code=1&class=x", "model=MODEL&code=1&zoom=17", "model=MODEL"] {
        let path = "/api/picture?\(query.replacing("MODEL", with: "mnist-k8-l3"))"
        #expect(try server.send("GET", path).status == 400, "\(query)")
      }
    }
    #expect(reports == [])
  }

  @Test("a body of marks, which take quadratic time to compare, is refused before it is read") func marks() async throws
  {
    try await RunningServer.with { server in
      for marks in [#"\u0301\u0320"#, "\u{301}\u{320}"] {
        let body = #"{"model": "mnist-k8-l3", "a\#(String(repeating: marks, count: 10_000))": 1}"#
        let answer = try server.send("POST", "/api/draw", body: body)
        #expect(answer.status == 400 && answer.body.contains("beyond ASCII"), "\(answer)")
      }
    }
  }

  @Test("events come one for each level, and the last is the result") func events() async throws {
    try await RunningServer.with { server in
      let body = #"{"model": "mnist-k8-l3", "seeds": [1, 2]}"#
      let answer = try server.send("POST", "/api/draw", ["Accept": "text/event-stream"], body: body)
      #expect(answer.status == 200 && answer.headers["content-type"]?.hasPrefix("text/event-stream") == true)
      #expect(answer.body.components(separatedBy: "event: level\n").count == 4)
      #expect(answer.body.contains("event: done\ndata: {"))
      let whole = try server.send("POST", "/api/draw", body: body)
      #expect(whole.status == 200 && whole.body.contains(#""samples":[{"code":""#))
      let wrong = try server.send(
        "POST", "/api/draw", ["Accept": "text/event-stream"], body: #"{"model": "mnist-k8-l3", "class": 1}"#)
      #expect(wrong.body.contains(#"event: error"#) && wrong.body.contains("this model has no classes"))
    }
  }

  @Test("too many requests of an address are told when to come again") func rate() async throws {
    var options = RunningServer.options
    options.limits.requestsPerMinute = 5
    try await RunningServer.with(options) { server in
      for _ in 0..<5 { #expect(try server.send("GET", "/api/status").status == 200) }
      let answer = try server.send("GET", "/api/status")
      #expect(answer.status == 429 && Int(answer.headers["retry-after"] ?? "").map { (1...12).contains($0) } == true)
    }
  }

  @Test("huge headers are refused, and connections without a request are closed") func connections() async throws {
    var options = RunningServer.options
    (options.limits.idleSeconds, options.limits.bodySeconds) = (1, 1)
    try await RunningServer.with(options) { server in
      let field = String(repeating: "a", count: 100_000)
      let huge = try server.exchange("GET / HTTP/1.1\r\nHost: localhost\r\nX: \(field)\r\n\r\n")
      #expect(huge.isEmpty || huge.hasPrefix("HTTP/1.1 4"), "\(huge.prefix(40))")
      for start in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: loc"] {
        let began = ContinuousClock.now
        #expect(try server.exchange(start).isEmpty)
        #expect(ContinuousClock.now - began < .seconds(20))
      }
      let slow = try server.exchange(
        "POST /api/draw HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{")
      #expect(slow.isEmpty || slow.hasPrefix("HTTP/1.1 408"), "\(slow)")
    }
  }

  @Test("a port that is taken is told") func takenPort() async throws {
    try await RunningServer.with { server in
      var options = RunningServer.options
      options.port = server.port
      let taken = options
      let error = await #expect(throws: PageServer.ListenError.self) { try await RunningServer.with(taken) { _ in } }
      #expect(error?.description.contains("cannot listen at 127.0.0.1, port \(server.port): ") == true)
    }
  }
}
