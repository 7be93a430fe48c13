import Archives
import DDNFiles
import Foundation

/// Writes named files into a zip file or a folder that appears whole or not at all.
enum DatasetWriter {
  /// - Parameters:
  ///   - url: a zip file when it ends in `.zip`, otherwise a folder; where nothing, or an empty folder, is yet.
  ///   - body: gets the function that adds one file; names have `/` between their parts.
  /// - Throws: `FileError` (`failed`) when something is there already, or the disk refuses; what `body` throws.
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
        sync()  // All files at once: one by one takes hours.
      }
    }
  }

  private static func checkIsFree(_ url: URL) throws(FileError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else { return }
    if isFolder.boolValue, url.pathExtension.lowercased() != "zip", try Folder.names(in: url).isEmpty { return }
    throw FileError(
      .failed, path: url.path, problem: "there is something of that name already",
      remedy: "remove it or choose another name")
  }
}
