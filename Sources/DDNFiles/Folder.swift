import Foundation

/// Creates and removes folders atomically.
public enum Folder {
  /// Creates `url` with the files that `body` writes into a temporary folder, which is then renamed.
  ///
  /// - Throws: what `body` throws, after removing the temporary folder; `FileError` when `url` exists.
  public static func createWhole(_ url: URL, _ body: (URL) throws -> Void) throws {
    let parent = url.deletingLastPathComponent()
    let temporary = parent.appendingPathComponent(".\(url.lastPathComponent).part")
    do {
      try remove(temporary)
      try create(temporary)
      try body(temporary)
      try flush(temporary)
      guard rename(temporary.path, url.path) == 0 else {
        throw FileError.system("cannot be created", path: url.path)
      }
      try flush(parent)
    } catch {
      try? remove(temporary)
      throw error
    }
  }

  /// Removes a folder or file, if it exists; renamed first, so that a partly removed folder never looks complete.
  ///
  /// - Throws: `FileError` (`failed`) when the system refuses.
  public static func remove(_ url: URL) throws(FileError) {
    let renamed = url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).removed")
    try removeItem(renamed)  // Left by a killed process.
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    guard rename(url.path, renamed.path) == 0 else { throw .system("cannot be removed", path: url.path) }
    try removeItem(renamed)
  }

  private static func removeItem(_ url: URL) throws(FileError) {
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    do { try FileManager.default.removeItem(at: url) } catch {
      throw FileError(
        .failed, path: url.path, problem: "cannot be removed", remedy: "check the permissions or remove it by hand")
    }
  }

  /// Removes temporary files and folders of killed processes; no other process may be writing to `url`.
  public static func removeLeftovers(in url: URL) throws(FileError) {
    for name in try names(in: url) where name.hasPrefix(".") && (name.hasSuffix(".part") || name.hasSuffix(".removed"))
    {
      try removeItem(url.appendingPathComponent(name))
    }
  }

  /// The sorted names of a folder's entries; empty for a missing folder.
  ///
  /// - Throws: `FileError` (`failed`) when the folder cannot be listed.
  public static func names(in url: URL) throws(FileError) -> [String] {
    guard FileManager.default.fileExists(atPath: url.path) else { return [] }
    do { return try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() } catch {
      throw FileError(
        .failed, path: url.path, problem: "this folder cannot be listed",
        remedy: "check that it is a folder, and its permissions")
    }
  }

  /// Creates a folder and its parents, unless they exist.
  public static func create(_ url: URL) throws(FileError) {
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw FileError(
        .failed, path: url.path, problem: "this folder cannot be created",
        remedy: "check the permissions and the free space, or choose another folder")
    }
  }

  /// Flushes a folder's entries to the disk.
  static func flush(_ url: URL) throws(FileError) {
    let descriptor = open(url.path.isEmpty ? "." : url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("this folder cannot be opened", path: url.path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .system("this folder cannot be flushed to the disk", path: url.path) }
  }
}
