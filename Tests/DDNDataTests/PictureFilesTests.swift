import ArchivesSupport
import DDNData
import DDNFiles
import Foundation
import Images
import Testing

@Suite("PictureFiles")
struct PictureFilesTests {
  private static func picture(_ number: Int) -> Bitmap {
    Bitmap(width: 3, height: 2, channels: 1, pixels: (0..<6).map { UInt8(truncatingIfNeeded: number + $0) })
  }

  @Test("more pictures than are open at once, in folders that are made, have the bytes that are returned")
  func many() throws {
    try withTemporaryFolder { folder in
      let pictures = (0..<300).map {
        (url: folder.appendingPathComponent("\($0 % 2)/\($0).png"), picture: Self.picture($0))
      }
      let bytes = try PictureFiles.write(pictures)
      #expect(bytes.count == 300)
      for ((url, picture), bytes) in zip(pictures, bytes) {
        #expect(try Data(contentsOf: url) == bytes)
        #expect(try PNG.read(url) == picture)
      }
      #expect(try Folder.names(in: folder.appendingPathComponent("0")).count == 150)  // and nothing temporary
    }
  }

  @Test("of a name that occurs twice the last picture stays")
  func twice() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("1.png")
      try PictureFiles.write([(url, Self.picture(0)), (url, Self.picture(50))])
      #expect(try PNG.read(url) == Self.picture(50))
      #expect(try Folder.names(in: folder) == ["1.png"])
    }
  }

  @Test("one that cannot have its name is named, those before it are there, and nothing is left of the others")
  func failure() throws {
    try withTemporaryFolder { folder in
      let pictures = (0..<4).map { (url: folder.appendingPathComponent("\($0).png"), picture: Self.picture($0)) }
      try Folder.create(pictures[2].url.appendingPathComponent("occupied"))
      let error = try #require(throws: FileError.self) { try PictureFiles.write(pictures) }
      #expect(error.description.contains("2.png: cannot be written: Is a directory"))
      #expect(try Folder.names(in: folder) == ["0.png", "1.png", "2.png"])
      #expect(try PNG.read(pictures[1].url) == pictures[1].picture)
    }
  }

  @Test("what was there stays when the folder cannot be made")
  func folder() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("file")
      try Data([1]).write(to: file)
      let error = #expect(throws: FileError.self) {
        try PictureFiles.write([(file.appendingPathComponent("1.png"), Self.picture(0))])
      }
      #expect(error?.kind == .failed)
      #expect(try Data(contentsOf: file) == Data([1]))
    }
  }
}
