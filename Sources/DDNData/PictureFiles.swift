import DDNFiles
import Foundation
import Images

/// Writes many images as PNG files.
public enum PictureFiles {
  /// Encodes images on all cores and writes their files, each atomically; creates missing folders.
  ///
  /// - Returns: the files' bytes.
  /// - Throws: `FileError` for the first file that cannot be written; earlier ones may exist, later ones do not.
  @discardableResult
  public static func write(_ images: [(url: URL, picture: Bitmap)]) throws(FileError) -> [Data] {
    let encoded = parallelMap(images.count) { place in
      Result { () throws(ImageError) in try PNG.encode(images[place].picture) }
    }
    var files: [(url: URL, bytes: Data)] = []
    for ((url, _), result) in zip(images, encoded) {
      do { files.append((url, try result.get())) } catch {
        throw FileError(.failed, path: url.path, error)
      }
    }
    for folder in Set(files.map { $0.url.deletingLastPathComponent() }) { try Folder.create(folder) }
    try AtomicFile.write(files)
    return files.map(\.bytes)
  }
}
