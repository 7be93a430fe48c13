import Foundation

/// An append-only file of lines.
public enum LineFile {
  /// Appends one line atomically.
  ///
  /// - Throws: `FileError` (`failed`) with the system's reason.
  public static func append(_ line: Data, to url: URL) throws(FileError) {
    let file = try OutputFile(appendingTo: url.path)
    try file.writeAllOrNothing(line + [UInt8(ascii: "\n")])
  }
}
