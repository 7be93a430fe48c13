import Foundation
import Synchronization

/// A local HTTP server for a few files, one connection at a time.
final class FileServer: Sendable {
  struct Failed: Error {}

  let url: URL
  private let socket: Int32
  private let received = Mutex<[String]>([])

  /// The requests so far, with their headers.
  var requests: [String] { received.withLock { $0 } }

  /// - Parameter files: by path.
  init(_ files: [String: Data], supportsRanges: Bool = true) throws {
    // A client that hangs up must not end the tests with SIGPIPE.
    #if canImport(Glibc)
      let (kind, flags) = (Int32(SOCK_STREAM.rawValue), Int32(MSG_NOSIGNAL))
    #else
      let (kind, flags) = (SOCK_STREAM, Int32(0))
    #endif
    let listener = Foundation.socket(AF_INET, kind, 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isReady = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &size) == 0
      }
    }
    guard listener >= 0, isReady else { throw Failed() }
    url = URL(string: "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))/")!
    socket = listener
    Thread { [weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { break }
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        let count = recv(connection, &buffer, buffer.count, 0)
        let request = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
        self?.received.withLock { $0.append(request) }
        let response = Self.response(request, files, supportsRanges: supportsRanges)
        response.withUnsafeBytes { bytes in
          var sent = 0
          while sent < bytes.count {
            let part = send(connection, bytes.baseAddress! + sent, bytes.count - sent, flags)
            if part <= 0 { break }
            sent += part
          }
        }
        close(connection)
      }
      close(listener)  // Here, because another server may reuse the number at once.
    }.start()
  }

  deinit { shutdown(socket, Int32(SHUT_RDWR)) }  // Ends the thread's accept.

  private static func response(_ request: String, _ files: [String: Data], supportsRanges: Bool) -> Data {
    let words = request.split(separator: " ")
    guard words.count > 1, let file = files[String(words[1])] else {
      return Data("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
    }
    let range = request.firstMatch(of: /Range: bytes=(\d+)-/).flatMap { Int($0.1) }
    let start = supportsRanges ? min(range ?? 0, file.count) : 0
    let status = start > 0 ? "206 Partial Content" : "200 OK"
    let contentRange = start > 0 ? "Content-Range: bytes \(start)-\(file.count - 1)/\(file.count)\r\n" : ""
    let header =
      "HTTP/1.1 \(status)\r\n\(contentRange)Content-Length: \(file.count - start)\r\nConnection: close\r\n\r\n"
    return Data(header.utf8) + file.dropFirst(start)
  }
}
