import Archives
import DDNFiles
import Foundation

/// Image files in one zip file, to hand on.
public enum ImageArchive {
  /// Writes a zip file that holds `files`, whole or not at all; one of that name is replaced.
  ///
  /// - Throws: `FileError` when the disk refuses.
  public static func write(_ files: [(name: String, bytes: Data)], to url: URL) throws(FileError) {
    try AtomicFile.write(to: url) { (file) throws(FileError) in
      var writer = ZipWriter(file)
      for (name, bytes) in files { try writer.add(name, bytes) }
      try writer.finish()
    }
  }
}
