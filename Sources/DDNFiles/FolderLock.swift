import Foundation

/// An advisory lock on a folder; released with the object, or by the system when the process ends.
public final class FolderLock {
  private let descriptor: Int32

  /// - Parameters:
  ///   - url: of the folder.
  ///   - work: what the lock is for, as in "another process is training".
  /// - Throws: `FileError` (`failed`) when another process holds the lock or the folder cannot be opened.
  public init(_ url: URL, for work: String) throws(FileError) {
    descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("this folder cannot be opened", path: url.path) }
    // Network file systems without locks are accepted.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      throw FileError(
        .failed, path: url.path, problem: "another process is \(work) in this folder", remedy: "wait for it or stop it")
    }
  }

  deinit { close(descriptor) }
}
