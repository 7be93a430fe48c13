import Foundation

/// A file of lines that only grows.
public enum LineFile {
  /// Adds one line, or nothing when the disk refuses a part of it.
  ///
  /// - Throws: `FileError` (`failed`) with the system's reason.
  public static func append(_ line: Data, to url: URL) throws(FileError) {
    let file = try OutputFile(appendingTo: url.path)
    try file.writeAllOrNothing(line + [UInt8(ascii: "\n")])
  }
}
