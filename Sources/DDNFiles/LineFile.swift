import Foundation

/// A file of lines that only grows.
public enum LineFile {
  /// Adds one line in a single write, so that a killed process leaves no half line.
  ///
  /// - Throws: `FileError` (`failed`) with the system's reason.
  public static func append(_ line: Data, to url: URL) throws(FileError) {
    let file = open(url.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw .system("cannot be opened", path: url.path) }
    defer { close(file) }
    let bytes = line + [UInt8(ascii: "\n")]
    let written = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    guard written == bytes.count else { throw .system("cannot be written", path: url.path) }
  }
}
