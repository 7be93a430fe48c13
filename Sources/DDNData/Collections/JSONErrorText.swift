import Foundation

/// The position and reason of a JSON decoding error.
enum JSONErrorText {
  /// A suffix for an error message, from ": " on; empty when unknown.
  static func suffix(for error: any Error, in data: Data) -> String {
    guard let error = error as? DecodingError else { return "" }
    switch error {
    case .dataCorrupted: return syntaxError(in: data)
    case .keyNotFound(let key, let context): return ": \"\(key.stringValue)\" is missing\(path(context))"
    case .typeMismatch(_, let context), .valueNotFound(_, let context): return ": wrong type of value\(path(context))"
    @unknown default: return ""
    }
  }

  /// From `JSONSerialization`, because `JSONDecoder` does not report the position.
  private static func syntaxError(in data: Data) -> String {
    do {
      _ = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
      return ""
    } catch {
      guard let reason = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String else { return "" }
      guard let index = reason.firstMatch(of: /character ([0-9]{1,15})/).flatMap({ Int($0.1) }) else {
        let line = reason.split(whereSeparator: \.isNewline).joined(separator: " ")
        return ": \(line.hasSuffix(".") ? String(line.dropLast()) : line)"
      }
      return ": syntax error at \(position(index, in: data))"
    }
  }

  /// " at labels[3][0]"
  private static func path(_ context: DecodingError.Context) -> String {
    let parts = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
    return parts.isEmpty ? "" : " at \(parts.hasPrefix(".") ? String(parts.dropFirst()) : parts)"
  }

  private static func position(_ index: Int, in data: Data) -> String {
    let before = data.prefix(max(0, index))
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let column = before.count - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 - before.startIndex + 1 } ?? 0) + 1
    return "line \(line), column \(column)"
  }
}
