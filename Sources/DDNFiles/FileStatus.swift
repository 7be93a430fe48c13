import Foundation

/// What is at a path.
struct FileStatus {
  enum Kind {
    case file
    case folder
    case link
    /// A FIFO or a socket.
    case stream
    /// A device.
    case other
  }

  let kind: Kind

  /// Of what a path leads to; nil for nothing.
  init?(of url: URL) { self.init({ stat($0, $1) }, url) }

  /// Of the path itself, which may be a link; nil for nothing.
  init?(ofLink url: URL) { self.init({ lstat($0, $1) }, url) }

  private init?(_ read: (UnsafePointer<CChar>, UnsafeMutablePointer<stat>) -> Int32, _ url: URL) {
    var status = stat()
    guard read(url.path, &status) == 0 else { return nil }
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      case S_IFLNK: .link
      case S_IFIFO, S_IFSOCK: .stream
      default: .other
      }
  }
}
