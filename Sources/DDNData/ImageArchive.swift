import Archives
import DDNFiles
import Foundation

/// Writes image files as a zip file.
public enum ImageArchive {
  /// Writes `files` atomically; replaces an existing archive.
  ///
  /// - Throws: `FileError` when the archive cannot be written.
  public static func write(_ files: [(name: String, bytes: Data)], to url: URL) throws(FileError) {
    try AtomicFile.write(to: url) { (file) throws(FileError) in
      var writer = ZipWriter(file)
      for (name, bytes) in files { try writer.add(name, bytes) }
      try writer.finish()
    }
  }
}
