import Foundation

/// Folders that appear whole or not at all.
public enum Folder {
  /// Creates `url` with what `body` writes: under a temporary name first, then renamed in one step.
  ///
  /// - Throws: what `body` throws, after removing the temporary folder; `FileError` when `url` exists.
  public static func createWhole(_ url: URL, _ body: (URL) throws -> Void) throws {
    let parent = url.deletingLastPathComponent()
    let temporary = parent.appendingPathComponent(".\(url.lastPathComponent).part")
    let manager = FileManager.default
    do {
      if manager.fileExists(atPath: temporary.path) { try manager.removeItem(at: temporary) }
      try create(temporary)
      try body(temporary)
      try flush(temporary)
      guard rename(temporary.path, url.path) == 0 else {
        throw FileError.system("cannot be created", path: url.path)
      }
      try flush(parent)
    } catch {
      try? manager.removeItem(at: temporary)  // The first error is the one to report.
      throw error
    }
  }

  /// Creates a folder and those above it; one that is already there is fine.
  public static func create(_ url: URL) throws(FileError) {
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw FileError(
        .failed, path: url.path, problem: "this folder cannot be created",
        remedy: "check the permissions and the space, or choose another place")
    }
  }

  /// Makes the names in a folder survive a power cut.
  static func flush(_ url: URL) throws(FileError) {
    let descriptor = open(url.path.isEmpty ? "." : url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("this folder cannot be opened", path: url.path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .system("this folder cannot be flushed to the disk", path: url.path) }
  }
}
