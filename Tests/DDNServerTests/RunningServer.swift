import DDN
import DDNModels
import DDNServer
import Foundation
import Synchronization

/// A server in this process, and requests to it over a socket.
struct RunningServer: Sendable {
  let port: Int

  struct Answer {
    let status: Int
    /// Names in lower case.
    let headers: [String: String]
    let body: String
  }

  struct SocketError: Error { let code: Int32 }

  /// A free port, and the small model of 512 images.
  static var options: PageServer.Options {
    var options = PageServer.Options()
    options.port = 0
    options.models = [ModelSource(name: "mnist-k8-l3", url: Model.shippedURL("mnist-k8-l3"))]
    return options
  }

  /// Runs a server while `body` runs.
  ///
  /// - Parameters:
  ///   - options: of the server.
  ///   - body: gets the server.
  /// - Returns: the errors of its own that the server reported.
  @discardableResult
  static func with(
    _ options: PageServer.Options = options, _ body: (RunningServer) async throws -> Void
  ) async throws -> [String] {
    let reports = Reports()
    let server = try await PageServer(options) { reports.add($0) }
    let (ports, feed) = AsyncStream<Int>.makeStream()
    let task = Task {
      defer { feed.finish() }
      try await server.run { feed.yield($0) }
    }
    defer { task.cancel() }
    var iterator = ports.makeAsyncIterator()
    guard let port = await iterator.next() else {
      try await task.value
      return reports.all
    }
    try await body(RunningServer(port: port))
    task.cancel()
    _ = await task.result
    return reports.all
  }

  /// Sends a request and reads its answer until the connection ends.
  func send(
    _ method: String = "GET", _ path: String, _ headers: [String: String] = [:], body: String = ""
  ) throws -> Answer {
    var fields = ["Host": "127.0.0.1:\(port)", "Connection": "close"]
    if !body.isEmpty {
      fields["Content-Length"] = "\(body.utf8.count)"
      fields["Content-Type"] = "application/json"
    }
    fields.merge(headers) { $1 }
    let head = fields.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\r\n" }.joined()
    return try Self.parse(exchange("\(method) \(path) HTTP/1.1\r\n\(head)\r\n\(body)"))
  }

  /// Sends bytes and reads until the connection ends; at most a minute.
  func exchange(_ text: String) throws -> String {
    let connection = try open()
    defer { close(connection) }
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { break }  // The server may answer before it has read all.
      sent += count
    }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = recv(connection, &buffer, buffer.count, 0)
      if count <= 0 { break }
      answer += buffer[..<count]
    }
    return String(decoding: answer, as: UTF8.self)
  }

  /// A connected socket.
  func open() throws -> Int32 {
    let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw SocketError(code: errno) }
    return connection
  }

  private static func parse(_ text: String) throws -> Answer {
    let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
    let lines = parts[0].split(separator: "\r\n")
    guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
      throw SocketError(code: 0)
    }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let field = line.split(separator: ":", maxSplits: 1)
      headers[field[0].lowercased()] = field[1].trimmingCharacters(in: .whitespaces)
    }
    return Answer(status: status, headers: headers, body: parts.count > 1 ? String(parts[1]) : "")
  }
}

private final class Reports: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  func add(_ line: String) { lines.withLock { $0.append(line) } }
}
