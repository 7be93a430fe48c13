import Foundation

/// A file that only grows.
public enum GrowingFile {
  /// Appends bytes, all or nothing, and creates the file if it is missing.
  ///
  /// - Throws: `FileError` (`failed`) with the system's reason.
  public static func append(_ bytes: Data, to url: URL) throws(FileError) {
    try OutputFile(appendingTo: url.path).writeAllOrNothing(bytes)
  }
}
