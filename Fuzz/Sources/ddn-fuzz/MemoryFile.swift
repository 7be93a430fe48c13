import Foundation

/// An in-memory file, for readers that take a path.
final class MemoryFile {
  nonisolated(unsafe) static let shared = MemoryFile()

  private let descriptor: Int32
  private let url: URL

  private init() {
    var name = Array("/dev/shm/ddn-fuzz-XXXXXX".utf8CString)
    descriptor = mkstemp(&name)
    unlink(&name)
    precondition(descriptor >= 0, "cannot create a file in /dev/shm")
    url = URL(filePath: "/proc/self/fd/\(descriptor)")
  }

  /// A path with this content, valid until the next call.
  func holding(_ data: Data) -> URL {
    precondition(ftruncate(descriptor, off_t(data.count)) == 0)
    data.withUnsafeBytes { precondition(pwrite(descriptor, $0.baseAddress, $0.count, 0) == $0.count) }
    return url
  }
}
