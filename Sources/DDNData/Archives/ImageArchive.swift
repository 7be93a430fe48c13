import DDNFiles
import Foundation
import Images

/// Pictures in one zip file, to hand on.
public enum ImageArchive {
  /// Writes a zip file of PNG files, whole or not at all; one of that name is replaced.
  ///
  /// - Throws: `FileError` when the disk refuses; `ImageError` for a picture that cannot be encoded.
  public static func write(_ pictures: [(name: String, picture: Bitmap)], to url: URL) throws {
    try AtomicFile.create(url) { file in
      var writer = ZipWriter(file)
      for (name, picture) in pictures { try writer.add(name, try PNG.encode(picture)) }
      try writer.finish()
    }
  }
}
