import ArchivesSupport
import DDNData
import DDNFiles
import Foundation
import Images
import Testing

@Suite("PictureFiles")
struct PictureFilesTests {
  private static func image(_ number: Int) -> Bitmap {
    Bitmap(width: 3, height: 2, channels: 1, pixels: (0..<6).map { UInt8(truncatingIfNeeded: number + $0) })
  }

  @Test("many files in new folders have the returned bytes")
  func many() throws {
    try withTemporaryFolder { folder in
      let images = (0..<300).map {
        (url: folder.appendingPathComponent("\($0 % 2)/\($0).png"), picture: Self.image($0))
      }
      let bytes = try PictureFiles.write(images)
      #expect(bytes.count == 300)
      for ((url, image), bytes) in zip(images, bytes) {
        #expect(try Data(contentsOf: url) == bytes)
        #expect(try PNG.read(url) == image)
      }
      #expect(try Folder.names(in: folder.appendingPathComponent("0")).count == 150)  // No temporary files.
    }
  }

  @Test("the last of duplicate names wins")
  func duplicates() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("1.png")
      try PictureFiles.write([(url, Self.image(0)), (url, Self.image(50))])
      #expect(try PNG.read(url) == Self.image(50))
      #expect(try Folder.names(in: folder) == ["1.png"])
    }
  }

  @Test("after a failed file, earlier ones exist and later ones do not")
  func failure() throws {
    try withTemporaryFolder { folder in
      let images = (0..<4).map { (url: folder.appendingPathComponent("\($0).png"), picture: Self.image($0)) }
      try Folder.create(images[2].url.appendingPathComponent("occupied"))
      let error = try #require(throws: FileError.self) { try PictureFiles.write(images) }
      #expect(error.description.contains("2.png: cannot be written: Is a directory"))
      #expect(try Folder.names(in: folder) == ["0.png", "1.png", "2.png"])
      #expect(try PNG.read(images[1].url) == images[1].picture)
    }
  }

  @Test("an existing file stays when a folder cannot be created")
  func folder() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("file")
      try Data([1]).write(to: file)
      let error = #expect(throws: FileError.self) {
        try PictureFiles.write([(file.appendingPathComponent("1.png"), Self.image(0))])
      }
      #expect(error?.kind == .failed)
      #expect(try Data(contentsOf: file) == Data([1]))
    }
  }
}
