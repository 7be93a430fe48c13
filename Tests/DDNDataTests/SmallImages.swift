import ArchivesSupport
import DDNFiles
import Foundation
import Images

@testable import DDNData

/// A deterministic image, different for every number.
func testImage(_ number: Int, width: Int = 8, height: Int = 8, channels: Int = 1) -> Bitmap {
  Bitmap(
    width: width, height: height, channels: channels,
    pixels: (0..<width * height * channels).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number &* 31) })
}

/// A folder that is removed when the test process ends.
enum TestFolder {
  static let root: URL = {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("ddn-data-tests-\(getpid())")
    atexit { try? FileManager.default.removeItem(at: TestFolder.root) }
    return url
  }()
}

/// A data set's files in memory.
struct SmallFiles {
  var files: [(name: String, content: Data)] = []

  init(_ count: Int = 0, channels: Int = 1, labels: String? = nil) throws {
    for number in 0..<count { try add("img\(number).png", testImage(number, channels: channels)) }
    if let labels { files.append(("dataset.json", Data(labels.utf8))) }
  }

  mutating func add(_ name: String, _ bitmap: Bitmap) throws { files.append((name, try PNG.encode(bitmap))) }

  /// Opens the files as a zip file and as a folder.
  func opened() throws -> [ImageFiles] {
    var opened: [ImageFiles] = []
    try withTemporaryFolder { folder in
      let archive = folder.appendingPathComponent("pictures.zip")
      try ZipBytes(files.map { .init($0.name, $0.content, deflated: true) }).data.write(to: archive)
      opened = [try ImageFiles(archive: archive)]
    }
    let folder = TestFolder.root.appendingPathComponent(UUID().uuidString)  // Images are read later.
    for (name, content) in files {
      let url = folder.appendingPathComponent(name)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try content.write(to: url)
    }
    return opened + [try ImageFiles(folder: folder)]
  }

  /// The error of opening the files.
  func failure() throws -> FileError? {
    do {
      _ = try opened()
      return nil
    } catch let error as FileError { return error }
  }
}
