import Foundation

/// Reads input files.
public enum InputFile {
  /// The most bytes that are read of a pipe.
  private static let mostPiped = 1 << 30

  /// Memory-maps a file where possible; reads a pipe to its end.
  ///
  /// - Throws: `FileError`: `missing`; `invalid` for folders and devices, and pipes of more than 1 GiB; `failed` when it
  ///   cannot be read.
  public static func map(_ url: URL) throws(FileError) -> Data {
    guard let status = FileStatus(of: url) else {
      let isLink = FileStatus(ofLink: url) != nil
      throw FileError(
        .missing, path: url.path, problem: isLink ? "is a link to nothing or to itself" : "no such file",
        remedy: "check the path")
    }
    do {
      switch status.kind {
      case .folder:
        throw FileError(
          .invalid, path: url.path, problem: "this is a folder, not a file",
          remedy: "name a file in it; a folder of images is a data set, for --data")
      case .other:
        throw FileError(.invalid, path: url.path, problem: "this is a device, not a file", remedy: "name a file")
      case .stream:
        let pipe = try FileHandle(forReadingFrom: url)
        defer { try? pipe.close() }
        let data = try pipe.read(upToCount: mostPiped + 1) ?? Data()
        guard data.count <= mostPiped else {
          throw FileError(
            .invalid, path: url.path, problem: "this pipe gives more than \(mostPiped) bytes",
            remedy: "save them to a file")
        }
        return data
      case .file, .link: return try Data(contentsOf: url, options: .mappedIfSafe)
      }
    } catch let error as FileError { throw error } catch {
      throw FileError(.failed, path: url.path, problem: "cannot be read", remedy: "check the permissions and the disk")
    }
  }
}
