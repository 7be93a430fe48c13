import DDNFiles
import Foundation

/// Lists a folder's regular files recursively, sorted by name, and the entries that cannot be read.
///
/// Follows symbolic links, but reads each folder once. Skips hidden files and folders of operating systems and network
/// disks (`__MACOSX`, `@eaDir`).
struct FileWalk {
  /// Paths relative to the folder.
  private(set) var files: [String] = []
  private(set) var problems: [FileError] = []

  private struct Identity: Hashable {
    let device: UInt64
    let number: UInt64
  }
  private var seen: Set<Identity> = []
  private let root: String

  /// - Throws: `FileError` (`failed`) when the folder itself cannot be listed.
  init(_ url: URL) throws(FileError) {
    root = url.path
    if let error = list("") { throw error }
  }

  /// Whether a path component is skipped.
  static func isIgnored(_ part: some StringProtocol) -> Bool {
    part.hasPrefix(".") || part == "__MACOSX" || part == "@eaDir"
  }

  /// - Parameter prefix: the folder's relative path: "" or "cats/".
  /// - Returns: the error if the folder cannot be listed.
  private mutating func list(_ prefix: String) -> FileError? {
    let folder = prefix.isEmpty ? root : "\(root)/\(prefix.dropLast())"
    var status = stat()
    guard stat(folder, &status) == 0, let stream = opendir(folder) else {
      return FileError(.failed, path: folder, problem: "this folder cannot be listed", remedy: "check its permissions")
    }
    defer { closedir(stream) }
    guard seen.insert(Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))).inserted else {
      return FileError(
        .invalid, path: folder, problem: "links to a folder that was already read", remedy: "remove the link")
    }
    var names: [String] = []
    while let entry = readdir(stream) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      guard let name = String(validating: bytes, as: UTF8.self) else {
        let shown = String(decoding: bytes, as: UTF8.self)
        problems.append(
          FileError(.invalid, path: "\(folder)/\(shown)", problem: "has a name that is not UTF-8", remedy: "rename it"))
        continue
      }
      if !Self.isIgnored(name) { names.append(name) }
    }
    for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) { add(prefix + name) }
    return nil
  }

  private mutating func add(_ name: String) {
    let path = "\(root)/\(name)"
    func problem(_ kind: FileError.Kind, _ problem: String, _ remedy: String) {
      problems.append(FileError(kind, path: path, problem: problem, remedy: remedy))
    }
    var status = stat()
    guard stat(path, &status) == 0 else {
      return errno == ENOENT || errno == ELOOP
        ? problem(.missing, "is a broken link", "remove or correct it")
        : problem(.failed, "cannot be read", "check the permissions")
    }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: if let error = list(name + "/") { problems.append(error) }
    case S_IFREG:
      if access(path, R_OK) == 0 {
        files.append(name)
      } else {
        problem(.failed, "cannot be read", "check the permissions")
      }
    default: problem(.invalid, "is not a regular file", "remove it")
    }
  }
}
