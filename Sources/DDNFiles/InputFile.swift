import Foundation

/// Reads input files, with an error that says what to do when one cannot be read.
public enum InputFile {
  /// Maps a file into memory where possible, so that only what is touched is read.
  ///
  /// - Throws: `FileError`: `missing` when it is not there, `failed` when the system refuses it, `invalid` for a folder.
  public static func map(_ url: URL) throws(FileError) -> Data {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      throw FileError(.missing, path: url.path, problem: "no such file", remedy: "check the path")
    }
    guard !isFolder.boolValue else {
      throw FileError(.invalid, path: url.path, problem: "this is a folder, not a file", remedy: "name a file in it")
    }
    do {
      return try Data(contentsOf: url, options: .mappedIfSafe)
    } catch {
      throw FileError(.failed, path: url.path, problem: "cannot be read", remedy: "check the permissions and the disk")
    }
  }
}
