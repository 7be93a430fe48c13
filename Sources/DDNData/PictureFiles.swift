import DDNFiles
import Foundation
import Images

/// Many pictures as PNG files.
public enum PictureFiles {
  /// Encodes pictures on all cores and writes their files together, each whole or not at all, with their folders.
  ///
  /// - Returns: the files' bytes.
  /// - Throws: `FileError` for the first that cannot be written; those before it may be there, and none after it.
  @discardableResult
  public static func write(_ pictures: [(url: URL, picture: Bitmap)]) throws(FileError) -> [Data] {
    let encoded = parallelMap(pictures.count) { place in
      Result { () throws(ImageError) in try PNG.encode(pictures[place].picture) }
    }
    var files: [(url: URL, bytes: Data)] = []
    for ((url, _), result) in zip(pictures, encoded) {
      do { files.append((url, try result.get())) } catch {
        throw FileError(.failed, path: url.path, error)
      }
    }
    for folder in Set(files.map { $0.url.deletingLastPathComponent() }) { try Folder.create(folder) }
    try AtomicFile.write(files)
    return files.map(\.bytes)
  }
}
