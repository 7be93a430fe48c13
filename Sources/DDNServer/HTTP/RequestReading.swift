import Foundation
import Hummingbird
import NIOCore

extension Request {
  /// Reads the body as JSON.
  ///
  /// The body is kept, so that the end of the connection can be noticed afterwards.
  ///
  /// - Throws: `RequestError`: 415 for another content type, 413 for a body over the limit, 408 for one that takes too
  ///   long, 400 for other JSON.
  mutating func json<T: Decodable & Sendable>(_ type: T.Type, _ limits: ServerLimits) async throws -> T {
    let content = headers[.contentType]?.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
    guard content == "application/json" else {
      throw RequestError(.unsupportedMediaType, "the content type of the body is application/json")
    }
    let data = try await collect(limits)
    // Swift compares strings in a normal form, which takes time quadratic in the marks after a letter.
    let most = 4 * limits.guides * limits.textLength
    guard data.countBeyondASCII <= most else {
      throw RequestError.malformed("the body has more than \(most) bytes and escapes beyond ASCII")
    }
    do { return try JSONDecoder().decode(type, from: data) } catch let error as DecodingError {
      throw RequestError.malformed("the body is not as /api/openapi.json describes it\(error.place)")
    }
  }

  private mutating func collect(_ limits: ServerLimits) async throws -> Data {
    let tooLarge = RequestError(
      .contentTooLarge, "the body has more than \(limits.bodyBytes) bytes, which is all that it may have")
    if let length = headers[.contentLength].flatMap(Int.init), length > limits.bodyBytes { throw tooLarge }
    let body = body
    let bytes = try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
      group.addTask {
        do { return try await body.collect(upTo: limits.bodyBytes) } catch is NIOTooManyBytesError { throw tooLarge }
      }
      group.addTask {
        try await Task.sleep(for: .seconds(limits.bodySeconds))
        throw RequestError(.requestTimeout, "the body takes longer than \(Int(limits.bodySeconds)) s")
      }
      defer { group.cancelAll() }
      return try await group.next()!
    }
    self.body = .init(buffer: bytes)
    return Data(buffer: bytes)
  }

  /// A parameter of the query; nil when it is missing or empty.
  func parameter(_ name: String) -> String? {
    guard let value = uri.queryParameters[name[...]], !value.isEmpty else { return nil }
    return String(value)
  }

  /// A whole number in the query; nil when it is missing.
  ///
  /// - Throws: `RequestError` (400) for anything else.
  func number(_ name: String, in range: ClosedRange<Int>) throws(RequestError) -> Int? {
    guard let text = parameter(name) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw .malformed("\(name) is not a whole number within \(range.lowerBound)...\(range.upperBound)")
    }
    return number
  }

  /// A place in the tree: `model`, `code` and `class` in the query.
  func treePlace() throws(RequestError) -> TreePlace {
    guard let model = parameter("model") else { throw .malformed("model is missing") }
    return TreePlace(
      model: model, code: parameter("code"), classIndex: try number("class", in: 0...1_000_000))
  }
}

extension DecodingError {
  /// ", at guides.0.kind"; empty where there is no such place.
  fileprivate var place: String {
    let path: [any CodingKey] =
      switch self {
      case .keyNotFound(let key, let context): context.codingPath + [key]
      case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
        context.codingPath
      @unknown default: []
      }
    guard !path.isEmpty else { return "" }
    return ", at " + path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
  }
}

extension Data {
  /// Bytes beyond ASCII, and escapes such as `\u0301`.
  fileprivate var countBeyondASCII: Int {
    withUnsafeBytes { bytes in
      var (count, last) = (0, UInt8(0))
      for byte in bytes {
        if byte >= 0x80 || byte == UInt8(ascii: "u") && last == UInt8(ascii: "\\") { count += 1 }
        last = byte
      }
      return count
    }
  }
}
