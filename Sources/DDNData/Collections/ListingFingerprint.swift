import Archives
import DDNFiles
import Foundation

/// Shows whether a file or a folder's files have changed: names, sizes and modification times, not contents.
public struct ListingFingerprint: Sendable, Equatable {
  /// 64-bit hash, in hexadecimal.
  public let checksum: String

  /// - Parameter url: of a file or a folder, which is listed recursively.
  /// - Throws: `FileError`: `missing`, or `failed` when a folder cannot be listed.
  public init(_ url: URL) throws(FileError) {
    let url = url.resolvingSymlinksInPath()
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      throw FileError(.missing, path: url.path, problem: "no such file or folder", remedy: "check the path")
    }
    let names = isFolder.boolValue ? try FileWalk(url).files : [""]
    checksum = FileIdentity.checksum(
      of: names.lazy.map { name in
        var status = stat()
        let path = name.isEmpty ? url.path : "\(url.path)/\(name)"
        guard stat(path, &status) == 0 else { return "\(name) missing" }
        #if os(Linux)
          let time = status.st_mtim
        #else
          let time = status.st_mtimespec
        #endif
        return "\(name) \(status.st_size) \(time.tv_sec).\(time.tv_nsec)"
      })
  }
}
