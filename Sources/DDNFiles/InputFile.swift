import Foundation

/// Reads input files.
public enum InputFile {
  /// Memory-maps a file where possible.
  ///
  /// - Throws: `FileError`: `missing`, `invalid` for a folder, `failed` when it cannot be read.
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
