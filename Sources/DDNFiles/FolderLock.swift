import Foundation

/// Keeps other processes out of a folder while it lives; the system lets go of it when the process dies, however it does.
public final class FolderLock {
  private let descriptor: Int32

  /// - Parameter work: what may happen only once at a time: "training".
  /// - Throws: `FileError` (`failed`) when another process holds the lock, `missing` when the folder is not there.
  public init(_ url: URL, for work: String) throws(FileError) {
    descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("this folder cannot be opened", path: url.path) }
    // Some network disks have no locks; there the user must take care.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      throw FileError(
        .failed, path: url.path, problem: "another process is \(work) in this folder", remedy: "wait for it or stop it")
    }
  }

  deinit { close(descriptor) }
}
