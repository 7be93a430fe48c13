import ArchivesSupport
import DDNFiles
import Foundation
import Images

@testable import DDNData

/// A picture whose every pixel follows from its number.
func picture(_ number: Int, width: Int = 8, height: Int = 8, channels: Int = 1) -> Bitmap {
  Bitmap(
    width: width, height: height, channels: channels,
    pixels: (0..<width * height * channels).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number &* 31) })
}

/// Folders that are gone when the tests have ended.
enum PictureFolders {
  static let root: URL = {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("ddn-data-tests-\(getpid())")
    atexit { try? FileManager.default.removeItem(at: PictureFolders.root) }
    return url
  }()
}

/// Files of a data set in memory.
struct SmallFiles {
  var files: [(name: String, content: Data)] = []

  init(_ count: Int = 0, channels: Int = 1, labels: String? = nil) throws {
    for number in 0..<count { try add("img\(number).png", picture(number, channels: channels)) }
    if let labels { files.append(("dataset.json", Data(labels.utf8))) }
  }

  mutating func add(_ name: String, _ bitmap: Bitmap) throws { files.append((name, try PNG.encode(bitmap))) }

  /// Writes them below a folder and into a zip file, and opens both.
  func opened() throws -> [ImageFiles] {
    var opened: [ImageFiles] = []
    try withTemporaryFolder { folder in
      let archive = folder.appendingPathComponent("pictures.zip")
      try ZipBytes(files.map { .init($0.name, $0.content, deflated: true) }).data.write(to: archive)
      opened = [try ImageFiles(archive: archive)]
    }
    let folder = PictureFolders.root.appendingPathComponent(UUID().uuidString)  // The caller reads later.
    for (name, content) in files {
      let url = folder.appendingPathComponent(name)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try content.write(to: url)
    }
    return opened + [try ImageFiles(folder: folder)]
  }

  /// The error of opening them as a zip file.
  func failure() throws -> FileError? {
    do {
      _ = try opened()
      return nil
    } catch let error as FileError { return error }
  }
}
