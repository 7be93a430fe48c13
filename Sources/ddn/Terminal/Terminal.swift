import Foundation

/// Standard output and error.
enum Terminal {
  /// Whether a person watches standard error.
  static let isInteractive = isatty(STDERR_FILENO) == 1

  static func print(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

  static func printError(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

  /// Writes over the current line of a terminal.
  static func overwrite(_ line: String) { FileHandle.standardError.write(Data("\r\u{1B}[K\(line)".utf8)) }
}
