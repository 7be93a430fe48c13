import Foundation

/// Folders that appear whole or not at all.
public enum Folder {
  /// Creates `url` with what `body` writes: under a temporary name first, then renamed in one step.
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
      try? remove(temporary)  // The first error is the one to report.
      throw error
    }
  }

  /// Removes a folder, or a file, in one step for whoever looks, so that a half-removed one never seems whole.
  ///
  /// One that is not there is fine.
  /// - Throws: `FileError` (`failed`) when the system refuses.
  public static func remove(_ url: URL) throws(FileError) {
    let doomed = url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).removed")
    try removeItem(doomed)  // One that a killed process left.
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    guard rename(url.path, doomed.path) == 0 else { throw .system("cannot be removed", path: url.path) }
    try removeItem(doomed)
  }

  private static func removeItem(_ url: URL) throws(FileError) {
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    do { try FileManager.default.removeItem(at: url) } catch {
      throw FileError(
        .failed, path: url.path, problem: "cannot be removed", remedy: "check the permissions, or remove it by hand")
    }
  }

  /// Removes what a killed process left of files and folders that it was writing or removing in `url`.
  ///
  /// No other process may be writing there.
  public static func removeLeftovers(in url: URL) throws(FileError) {
    for name in try names(in: url) where name.hasPrefix(".") && (name.hasSuffix(".part") || name.hasSuffix(".removed"))
    {
      try removeItem(url.appendingPathComponent(name))
    }
  }

  /// What a folder holds, sorted; nothing when it is not there.
  ///
  /// - Throws: `FileError` (`failed`) when it cannot be listed.
  public static func names(in url: URL) throws(FileError) -> [String] {
    guard FileManager.default.fileExists(atPath: url.path) else { return [] }
    do { return try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() } catch {
      throw FileError(
        .failed, path: url.path, problem: "this folder cannot be listed",
        remedy: "check that it is one, and its permissions")
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
