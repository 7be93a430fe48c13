import Archives
import DDNFiles
import Foundation

/// Writes a zip file or a folder atomically.
enum DatasetWriter {
  /// - Parameters:
  ///   - url: a zip file if it ends in `.zip`, else a folder; must not exist, unless as an empty folder.
  ///   - body: receives a function that adds a file by its relative path.
  /// - Throws: `FileError` (`failed`) when `url` exists or cannot be written; what `body` throws.
  static func write(to url: URL, _ body: ((String, Data) throws -> Void) throws -> Void) throws {
    let url = url.standardizedFileURL
    try checkIsFree(url)
    try Folder.create(url.deletingLastPathComponent())
    if url.pathExtension.lowercased() == "zip" {
      try AtomicFile.create(url) { file in
        var writer = ZipWriter(file)
        try body { name, content in try writer.add(name, content) }
        try writer.finish()
      }
    } else {
      try Folder.createWhole(url) { folder in
        var lastParent: URL?
        try body { name, content in
          let file = folder.appendingPathComponent(name)
          let parent = file.deletingLastPathComponent()
          if parent != lastParent { try Folder.create(parent) }
          lastParent = parent
          do { try content.write(to: file) } catch {
            throw FileError(
              .failed, path: url.appendingPathComponent(name).path, problem: "cannot be written",
              remedy: "free some space or choose another folder")
          }
        }
        sync()  // Flushing files one by one would take hours.
      }
    }
  }

  private static func checkIsFree(_ url: URL) throws(FileError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else { return }
    if isFolder.boolValue, url.pathExtension.lowercased() != "zip", try Folder.names(in: url).isEmpty { return }
    throw FileError(
      .failed, path: url.path, problem: "already exists", remedy: "remove it or choose another name")
  }
}
